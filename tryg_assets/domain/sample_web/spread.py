"""Which text belongs to which municipality, and which building blocks to which page: by hash, the same everywhere.

Python's own random generator may change between versions; a hash does not.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from tryg_assets.domain.sample_web.texts import Place, Text


@dataclass(frozen=True, slots=True)
class Pattern:
    """How initiatives are spread over the types of municipality (``site.yml`` and the report's page 23).

    ``texts``: texts per municipality by type, relative to each other. ``areas``: how many areas they should cover.
    ``shares``: the report's share of municipalities that have an area, by (area, type).
    """

    texts: dict[str, float]
    areas: dict[str, int]
    shares: dict[tuple[str, str], float]


def rank(*key: Hashable) -> int:
    """Return a number that looks drawn at random and is always the same for ``key``."""
    return int.from_bytes(hashlib.blake2b("|".join(map(str, key)).encode(), digest_size=8).digest())


def spread_initiatives(
    texts: Iterable[Text], places: Sequence[Place], pattern: Pattern
) -> dict[str, list[Text]]:
    """Give each text to exactly one municipality that it fits; returns texts by slug.

    Cities get many and of all areas, rural municipalities one or two, as ``pattern`` says.
    """
    texts = sorted(texts, key=lambda text: (len(text.types) or 9, not text.coast, rank("order", text.id)))
    weight = sum(pattern.texts[place.municipality.type] for place in places)
    quota = {p.municipality.slug: pattern.texts[p.municipality.type] * len(texts) / weight for p in places}
    given: dict[str, list[Text]] = {place.municipality.slug: [] for place in places}
    covered: dict[str, Counter[str]] = {slug: Counter() for slug in given}

    def wish(place: Place, text: Text) -> float:
        slug, kind = place.municipality.slug, place.municipality.type
        room = 1 - len(given[slug]) / quota[slug]
        new = sum(pattern.shares[area, kind] for area in text.areas if not covered[slug][area]) / len(
            text.areas
        )
        surplus = len(covered[slug].keys() | set(text.areas)) - pattern.areas[kind]
        return 2 * room + new - 0.5 * max(0, surplus) + rank(text.id, slug) / 2**64 * 0.2

    for text in texts:
        place = max((place for place in places if fits(text, place)), key=lambda place: wish(place, text))
        given[place.municipality.slug].append(text)
        covered[place.municipality.slug].update(text.areas)
    return given


def spread_evenly(texts: Iterable[Text], places: Sequence[Place]) -> dict[str, list[Text]]:
    """Give each text to one municipality that it fits, the one with the fewest so far; returns texts by slug."""
    given: dict[str, list[Text]] = {place.municipality.slug: [] for place in places}
    for text in sorted(texts, key=lambda text: (len(text.types) or 9, rank("even", text.id))):
        options = [place.municipality.slug for place in places if fits(text, place)]
        slug = min(options, key=lambda slug: (len(given[slug]), rank(text.id, slug)))
        given[slug].append(text)
    return given


def fits(text: Text, place: Place) -> bool:
    """Whether a text makes sense in a municipality."""
    return (place.coast or not text.coast) and (not text.types or place.municipality.type in text.types)


class Composer:
    """Draws blocks for pages from one pool, so that no two pages share more than a few of them."""

    def __init__(self, name: str, groups: Sequence[Hashable], most_shared: int) -> None:
        self._name, self._groups, self._most_shared = name, groups, most_shared
        self._uses = [0] * len(groups)
        self._pages: list[frozenset[int]] = []

    def draw(self, count: int, *key: Hashable, without: frozenset[int] = frozenset()) -> tuple[int, ...]:
        """Return ``count`` numbers of blocks of different groups, the least used first."""
        for attempt in range(1000):
            drawn: list[int] = []
            for number in sorted(
                range(len(self._groups)),
                key=lambda n: (
                    (drawn_by := rank(self._name, attempt, *key, n)) % 3 + self._uses[n],
                    drawn_by,
                ),
            ):
                if number not in without and self._groups[number] not in {
                    self._groups[other] for other in drawn
                }:
                    drawn.append(number)
                if len(drawn) == count:
                    break
            page = frozenset(drawn)
            if all(len(page & other) <= self._most_shared for other in self._pages):
                break
        else:
            raise AssertionError(f"the bank {self._name} is too small for so many pages")
        self._pages.append(page)
        for number in drawn:
            self._uses[number] += 1
        return tuple(drawn)


# The quadruple system SQS(10): these developed modulo 10 are 30 quadruples of 10 points of which no two share three.
_BASE = ((1, 2, 4, 5), (1, 2, 3, 7), (1, 3, 5, 8))


def quadruples() -> tuple[tuple[int, ...], ...]:
    """Return 30 choices of 4 of 10 paragraphs, any two of which share at most two."""
    return tuple(tuple((point + step) % 10 for point in block) for block in _BASE for step in range(10))
