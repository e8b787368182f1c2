"""The addresses a sitemap names, however broken it is."""

from __future__ import annotations

import gzip
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.crawling.sitemaps import sitemap_entries

A, B = "https://a.dk/1", "https://a.dk/2"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f"<urlset><url><loc>{A}</loc></url><url><loc> {B}\n</loc></url></urlset>", [(A, False), (B, False)]),
        (f"<sitemapindex><sitemap><loc>{A}</loc></sitemap></sitemapindex>", [(A, True)]),
        (f"<urlset><url><loc><![CDATA[{A}]]></loc></url></urlset>", [(A, False)]),
        (
            "<urlset><url><loc>https://a.dk/?a=1&amp;b=2</loc></url></urlset>",
            [("https://a.dk/?a=1&b=2", False)],
        ),
        ("<urlset><url><loc>https://a.dk/?a=1&b=2</loc></url></urlset>", [("https://a.dk/?a=1&b=2", False)]),
        (f"<urlset><url><loc>{A}</loc><image:loc>{B}</image:loc></url></urlset>", [(A, False)]),
        (f"<urlset><url><loc>{A}</loc></url><url><loc>{B}", [(A, False)]),
        (f"<URLSET><URL priority='1'><LOC>{A}</LOC></URL></URLSET>", [(A, False)]),
        (f"{A}\n{B}\nftp://a.dk/\n", [(A, False), (B, False)]),
        (f"<html><loc>{A}</loc></html>", []),
        ("<urlset><url><loc></loc></url></urlset>", []),
        ("", []),
    ],
    ids=[
        *("pages", "index", "CDATA", "escaped", "not escaped", "images", "cut off", "capitals", "plain list"),
        *("no sitemap", "no address", "empty"),
    ],
)
def test_addresses_are_found(body: str, found: list[tuple[str, bool]]) -> None:
    assert list(sitemap_entries(body.encode(), 10_000)) == found
    assert list(sitemap_entries(gzip.compress(body.encode()), 10_000)) == found


def test_a_gzip_bomb_names_nothing() -> None:
    assert list(sitemap_entries(gzip.compress(bytes(1_000_000)), 1000)) == []


def test_the_first_of_a_million_lines_is_there_at_once() -> None:
    body = b"<urlset>" + b"<url><loc>https://a.dk/side</loc></url>" * 1_000_000
    started = time.process_time()
    assert len(list(itertools.islice(sitemap_entries(body, 10**9), 100))) == 100
    assert time.process_time() - started < 0.5


@given(
    st.lists(
        st.sampled_from(
            ["<url>", "<sitemap>", "<loc>", "</loc>", "<![CDATA[", "]]>", "https://a.dk", " ", "<"]
        )
    )
)
def test_any_mixture_of_marks_ends(parts: list[str]) -> None:
    for address, _ in sitemap_entries("".join(parts).encode(), 1000):
        assert address
        assert "<" not in address
