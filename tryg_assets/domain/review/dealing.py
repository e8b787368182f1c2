"""Who codes which page, and in which order: seeded, so that the same call deals the same cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tryg_assets.ids import stable_id


def deal(
    pages: Iterable[str], reviewers: Sequence[str], overlap: int | None, seed: int
) -> dict[str, list[str]]:
    """Return the pages of each reviewer in a random order of his or her own.

    The first ``overlap`` pages of a random order (all, if ``None``) are coded by two: with more than two reviewers the
    pairs take turns. The others are dealt round. One reviewer alone gets every page.
    """
    names = sorted(set(reviewers))
    dealt: dict[str, list[str]] = {name: [] for name in names}
    for number, page in enumerate(sorted(set(pages), key=lambda page: stable_id(str(seed), page))):
        coders = 2 if overlap is None or number < overlap else 1
        for place in range(min(coders, len(names))):
            dealt[names[(number + place) % len(names)]].append(page)
    return {name: in_order(dealt[name], name, seed) for name in names}


def in_order(pages: Iterable[str], reviewer: str, seed: int) -> list[str]:
    """Return ``pages`` in the random order of one reviewer, so that no two see them in the same order."""
    return sorted(pages, key=lambda page: stable_id(str(seed), reviewer, page))
