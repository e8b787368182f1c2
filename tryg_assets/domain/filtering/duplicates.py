"""Exact and near duplicates within a municipality."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

_WORD = re.compile(r"\w+")


def shingles(text: str, size: int) -> frozenset[int]:
    """Return hashes of the runs of ``size`` words in ``text``, punctuation and case aside.

    A shorter text has one shingle: all its words. Hashes hold within one process only.
    """
    words = _WORD.findall(text.lower())
    if len(words) <= size:
        return frozenset([hash(tuple(words))])
    return frozenset(map(hash, zip(*(words[start:] for start in range(size)), strict=False)))


def jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the share of shingles that two texts have in common (Broder 1997); 1.0 for two empty sets."""
    common = len(one & other)
    union = len(one) + len(other) - common
    return common / union if union else 1.0


def containment(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the share of the smaller set that stands in the other (Broder 1997); 1.0 if it is empty."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 1.0


def near_duplicate_pairs(sets: Mapping[str, frozenset[int]], threshold: float) -> Iterator[tuple[str, str]]:
    """Yield pairs of keys whose shingles have a Jaccard similarity of at least ``threshold``.

    Exact: two sets this alike share a shingle among the smallest (1 - threshold) share of each (prefix filter, Chaudhuri
    et al. 2006), so only pairs that do are compared. A pair too different in size is not.
    """
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for key in sorted(sets, key=lambda key: (len(sets[key]), key)):
        found = sets[key]
        compared: set[str] = set()
        for shingle in sorted(found)[: len(found) - int(threshold * len(found)) + 1]:
            for other in holders[shingle]:
                if other not in compared and len(sets[other]) >= int(threshold * len(found)):
                    compared.add(other)
                    if jaccard(found, sets[other]) >= threshold:
                        yield (other, key) if other < key else (key, other)
            holders[shingle].append(key)


def originals(preferred: list[str], pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Return for each duplicate the key that is kept in its place.

    ``preferred`` names all keys, the version to keep before its duplicates. A key is a duplicate only of a kept one it
    forms a pair with: a chain of small differences takes no page away that differs from all that are kept.
    """
    alike: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        alike[one].add(other)
        alike[other].add(one)
    kept: list[str] = []
    found: dict[str, str] = {}
    for key in preferred:
        original = (
            next((candidate for candidate in kept if candidate in alike[key]), None) if key in alike else None
        )
        if original is None:
            kept.append(key)
        else:
            found[key] = original
    return found
