"""Cleaning as many pages as the report had hits: time, memory, and how many near duplicates are found, beside peers."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from benchmarks.memory import peak
from tryg_assets.domain.filtering.duplicates import jaccard, near_duplicate_pairs, shingles
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages
from tryg_assets.domain.reference import municipalities

PAGES = 41_721
WORDS = 390
THRESHOLD = 0.8
SIZE = 5
Pairs = set[tuple[str, str]]


def corpus(seed: int = 1) -> dict[str, dict[str, str]]:
    """Generate texts by municipality and page. One page in eight is a copy with some words changed."""
    rng = random.Random(seed)
    letters = "abdefghiklmnoprstuvyæøå"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 11))) for _ in range(12_000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    slugs = sorted(municipalities())
    texts: dict[str, dict[str, str]] = {slug: {} for slug in slugs}
    for number in range(PAGES):
        pages = texts[slugs[number % len(slugs)]]
        if pages and rng.random() < 0.125:
            text = rng.choice(list(pages.values())).split()
            for position in rng.sample(range(len(text)), rng.randint(0, 12)):
                text[position] = rng.choice(words)
        else:
            text = rng.choices(words, weights, k=rng.randint(WORDS - 150, WORDS + 150))
            text[rng.randrange(len(text))] = rng.choice(
                ["tryghed", "utryg", "blodtryk", "TrygFonden", "trygge"]
            )
        pages[f"{number:06}"] = " ".join(text)
    return texts


def rows(texts: dict[str, dict[str, str]]) -> Iterator[list[dict[str, Any]]]:
    for slug, pages in texts.items():
        yield [
            {
                "page_id": key,
                "municipality": slug,
                "url": f"https://www.{slug}.kommune.test/{key}",
                "canonical": None,
                "title": text[:40],
                "text": text,
                "published_date": None,
                "updated_date": None,
                "date_source": None,
                "language": "da",
            }
            for key, text in pages.items()
        ]


def exact(sets: dict[str, frozenset[int]]) -> Pairs:
    return set(near_duplicate_pairs(sets, THRESHOLD))


def all_with_all(sets: dict[str, frozenset[int]]) -> Pairs:
    """What is there to find: every pair compared, only pairs of hopelessly different size left out."""
    ordered = sorted(sets, key=lambda key: len(sets[key]))
    found = set()
    for one, other in combinations(ordered, 2):
        if len(sets[one]) >= THRESHOLD * len(sets[other]) and jaccard(sets[one], sets[other]) >= THRESHOLD:
            found.add((min(one, other), max(one, other)))
    return found


def by_rensa(sets: dict[str, frozenset[int]]) -> Pairs:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16)
    keys, hashes = list(sets), {}
    for number, key in enumerate(keys):
        hashes[key] = RMinHash(num_perm=128, seed=42)
        hashes[key].update([str(shingle) for shingle in sets[key]])
        index.insert(number, hashes[key])
    return {
        (min(key, keys[other]), max(key, keys[other]))
        for key in keys
        for other in index.query(hashes[key])
        if keys[other] != key and hashes[key].jaccard(hashes[keys[other]]) >= THRESHOLD
    }


def by_datasketch(sets: dict[str, frozenset[int]]) -> Pairs:
    from datasketch import MinHash, MinHashLSH

    index, hashes = MinHashLSH(threshold=THRESHOLD, num_perm=128), {}
    for key, found in sets.items():
        hashes[key] = MinHash(num_perm=128)
        hashes[key].update_batch([shingle.to_bytes(8, "little", signed=True) for shingle in found])
        index.insert(key, hashes[key])
    return {
        (min(key, other), max(key, other))
        for key in sets
        for other in index.query(hashes[key])
        if other != key and hashes[key].jaccard(hashes[other]) >= THRESHOLD
    }


def _pairs(method: Callable[[dict[str, frozenset[int]]], Pairs]) -> Pairs:
    found: Pairs = set()
    for pages in corpus().values():
        found |= method({key: shingles(text, SIZE) for key, text in pages.items()})
    return found


def _only_shingles(_: object) -> Pairs:
    return set()


def _clean() -> int:
    rules = cleaning_rules()
    return sum(len(filter_pages(pages, rules)) for pages in rows(corpus()))


def _measured(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    """Return the result of ``work`` in a process of its own, its CPU seconds and its peak memory in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_in_child, (work, arguments))


def _in_child(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, float, float]:
    started = time.process_time()
    result = work(*arguments)
    return result, time.process_time() - started, peak()


def report() -> None:
    print(f"\n== cleaning {PAGES:,} generated pages of {WORDS} words, as 98 municipalities, one core ==")
    _, base, _ = _measured(corpus)
    count, seconds, most = _measured(_clean)
    print(f"all rules: {count:,} verdicts, {seconds - base:.0f} s CPU beyond generating, peak {most:.0f} MB")
    truth, all_seconds, _ = _measured(_pairs, all_with_all)
    _, floor, _ = _measured(_pairs, _only_shingles)
    print(
        f"near duplicates (5-shingles, Jaccard >= {THRESHOLD}): {len(truth):,} pairs, all compared with all in {all_seconds - floor:.0f} s"
    )
    for name, method in (
        ("exact prefix filter (ours)", exact),
        ("rensa 128/16", by_rensa),
        ("datasketch 128", by_datasketch),
    ):
        found, seconds, most = _measured(_pairs, method)
        print(
            f"  {name:<28} {seconds - floor:6.1f} s CPU, peak {most:5.0f} MB, precision {len(found & truth) / max(1, len(found)):.3f}, recall {len(found & truth) / len(truth):.3f}"
        )


if __name__ == "__main__":
    report()
