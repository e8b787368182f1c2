"""Which blocks of text repeat across a site: menus, banners and contact texts that no markup gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tryg_assets.domain.crawling.policy import CrawlPolicy

if TYPE_CHECKING:
    from tryg_assets.domain.crawling.extract import Extracted

_BUCKET = 1000


class RepeatedBlocks:
    """Counts on how many HTML pages each block stands, in memory that does not grow with the site.

    Lossy counting (Manku and Motwani, VLDB 2002, section 4.2): after each thousand pages the blocks that were seen less
    than about once in a thousand are forgotten. A count is never too low, and too high by at most the number of
    thousands before it: up to a thousand pages it is exact.
    """

    def __init__(self, policy: CrawlPolicy) -> None:
        self._rules = policy.furniture
        self._pages = 0
        self._forgotten = 0
        self._counts: dict[str, int] = {}

    def add(self, page: Extracted) -> None:
        """Count the blocks of a page; documents have no furniture and are passed over."""
        if page.kind != "html":
            return
        self._pages += 1
        for text in {block.text for block in page.blocks}:
            self._counts[text] = self._counts.get(text, self._forgotten) + 1
        if self._pages % _BUCKET == 0:
            self._forgotten += 1
            self._counts = {text: n for text, n in self._counts.items() if n > self._forgotten}

    def furniture(self, *, unchanged: int = 0) -> frozenset[str]:
        """Return the blocks on enough of the pages.

        ``unchanged`` pages were not read again; they count in the share, so that a few changed pages make no furniture.
        """
        least = max(self._rules.repeats_on_pages, self._rules.repeats_on_share * (self._pages + unchanged))
        return frozenset(text for text, count in self._counts.items() if count >= least)
