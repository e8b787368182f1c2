"""Content codings are undone, and never further than the limit."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.crawling.inflate import BadBody, TooLarge, inflate


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@given(st.sampled_from(sorted(PACKERS)), st.binary(min_size=1, max_size=2000))
def test_every_coding_is_undone(coding: str, body: bytes) -> None:
    assert inflate(PACKERS[coding](body), coding, 2000) == body


@given(st.binary(min_size=1, max_size=2000))
def test_deflate_without_its_wrapping_is_read_too(body: bytes) -> None:
    assert inflate(raw_deflate(b"<html>" + body), "deflate", 3000) == b"<html>" + body


def test_codings_are_undone_from_the_last_to_the_first() -> None:
    assert inflate(brotli.compress(gzip.compress(b"hej")), "gzip, br", 100) == b"hej"


@pytest.mark.parametrize("coding", ["", "identity", "utf-8", "none"])
def test_what_is_no_coding_is_passed_over(coding: str) -> None:
    assert inflate(b"hej", coding, 100) == b"hej"


@pytest.mark.parametrize("coding", sorted(PACKERS))
def test_a_bomb_is_noticed_before_it_is_in_memory(coding: str) -> None:
    bomb = PACKERS[coding](bytes(50_000_000))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            inflate(bomb, coding, 100_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize("coding", sorted(PACKERS))
def test_a_body_of_just_the_limit_is_whole(coding: str) -> None:
    assert len(inflate(PACKERS[coding](bytes(1000)), coding, 1000)) == 1000
    with pytest.raises(TooLarge):
        inflate(PACKERS[coding](bytes(1001)), coding, 1000)


@pytest.mark.parametrize("coding", sorted(PACKERS))
@pytest.mark.parametrize("damage", [lambda body: body[: len(body) // 2], lambda body: b"<html>" + body])
def test_a_damaged_body_is_told(coding: str, damage: Callable[[bytes], bytes]) -> None:
    text = " ".join(str(number * number) for number in range(500)).encode()
    with pytest.raises(BadBody):
        inflate(damage(PACKERS[coding](text)), coding, 1_000_000)


def test_a_body_coded_over_and_over_is_refused() -> None:
    with pytest.raises(BadBody, match="4 times"):
        inflate(b"x", "gzip, gzip, gzip, gzip", 100)


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=200))
def test_any_bytes_end_in_a_body_or_a_complaint(coding: str, body: bytes) -> None:
    with suppress(BadBody, TooLarge):
        assert len(inflate(body, coding, 1000)) <= 1000
