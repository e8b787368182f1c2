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
    return frozenset(hash(tuple(words[i : i + size])) for i in range(len(words) - size + 1))


def jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the share of shingles that two texts have in common (Broder 1997); 1.0 for two empty sets."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def near_duplicate_pairs(texts: Mapping[str, str], size: int, threshold: float) -> Iterator[tuple[str, str]]:
    """Yield pairs of keys whose texts have a Jaccard similarity of at least ``threshold``.

    Exact: only pairs that share a shingle are compared, and a municipality has a few hundred pages.
    """
    sets = {key: shingles(text, size) for key, text in texts.items()}
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for key, found in sets.items():
        # Two sets this alike share a shingle among the smallest (1 - threshold) share of each (prefix filter).
        prefix = len(found) - int(threshold * len(found)) + 1
        for shingle in sorted(found)[:prefix]:
            holders[shingle].append(key)
    compared: set[tuple[str, str]] = set()
    for keys in holders.values():
        for i, one in enumerate(keys):
            for other in keys[i + 1 :]:
                pair = (one, other) if one < other else (other, one)
                if pair not in compared:
                    compared.add(pair)
                    if jaccard(sets[one], sets[other]) >= threshold:
                        yield pair


def clusters(pairs: Iterator[tuple[str, str]]) -> list[set[str]]:
    """Return the groups of keys that ``pairs`` connect."""
    import networkx as nx

    return [set(group) for group in nx.connected_components(nx.Graph(list(pairs)))]
