"""Counting repeated blocks: exact on small sites, in bounded memory and without misses on large ones."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tryg_assets.domain.crawling import furniture
from tryg_assets.domain.crawling.extract import Block, Extracted
from tryg_assets.domain.crawling.furniture import RepeatedBlocks
from tryg_assets.domain.crawling.policy import crawl_policy

POLICY = crawl_policy()
RULES = POLICY.furniture


def counted(pages: list[set[str]], kind: str = "html") -> RepeatedBlocks:
    blocks = RepeatedBlocks(POLICY)
    for page in pages:
        blocks.add(Extracted("t", tuple(Block(text) for text in sorted(page)), kind=kind))
    return blocks


PAGES = st.lists(st.sets(st.sampled_from("abcdefgh"), max_size=5), max_size=40)


@given(PAGES, st.integers(0, 20))
def test_up_to_a_thousand_pages_the_count_is_exact(pages: list[set[str]], unchanged: int) -> None:
    counts = Counter(text for page in pages for text in page)
    least = max(RULES.repeats_on_pages, RULES.repeats_on_share * (len(pages) + unchanged))
    assert counted(pages).furniture(unchanged=unchanged) == {t for t, n in counts.items() if n >= least}


@settings(max_examples=50)
@given(PAGES)
def test_after_forgetting_nothing_that_repeats_enough_is_missed(pages: list[set[str]]) -> None:
    bucket, furniture._BUCKET = furniture._BUCKET, 7
    try:
        found = counted(pages).furniture()
    finally:
        furniture._BUCKET = bucket
    counts = Counter(text for page in pages for text in page)
    least = max(RULES.repeats_on_pages, RULES.repeats_on_share * len(pages))
    assert {text for text, count in counts.items() if count >= least} <= found
    assert all(counts[text] + len(pages) // 7 >= least for text in found)


def test_memory_does_not_grow_with_the_site() -> None:
    blocks = counted([{f"kun på side {number}", "overalt"} for number in range(5500)])
    assert len(blocks._counts) <= 501
    assert blocks.furniture() == {"overalt"}


def test_documents_have_no_furniture() -> None:
    assert counted([{"fodnote"}] * 50, kind="pdf").furniture() == frozenset()
