"""Who codes which page."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.review.dealing import deal

PAGES = st.lists(st.uuids().map(str), unique=True, max_size=40)
NAMES = st.lists(st.sampled_from(["anne", "bo", "carl", "dorte"]), min_size=1, unique=True)


@given(PAGES, NAMES, st.none() | st.integers(0, 60), st.integers(0, 5))
def test_every_page_goes_to_one_coder_and_the_overlap_to_two(
    pages: list[str], names: list[str], overlap: int | None, seed: int
) -> None:
    dealt = deal(pages, names, overlap, seed)
    counts = Counter(page for own in dealt.values() for page in own)
    assert dealt.keys() == set(names)
    assert counts.keys() == set(pages)
    assert all(len(own) == len(set(own)) for own in dealt.values())
    doubles = min(len(pages), len(pages) if overlap is None else overlap) if len(names) > 1 else 0
    assert Counter(counts.values())[2] == doubles
    sizes = [len(own) for own in dealt.values()]
    assert max(sizes) - min(sizes) <= 2


@given(PAGES, NAMES)
def test_the_order_of_names_and_pages_in_the_call_changes_nothing(pages: list[str], names: list[str]) -> None:
    assert deal(pages, names, 5, 1) == deal(pages[::-1], names[::-1], 5, 1)


def test_two_coders_see_the_same_pages_in_different_orders() -> None:
    dealt = deal([str(n) for n in range(50)], ["anne", "bo"], None, 1)
    assert set(dealt["anne"]) == set(dealt["bo"])
    assert dealt["anne"] != dealt["bo"]
    assert dealt["anne"] != sorted(dealt["anne"])
