"""A text as it reads, for finding personal data that content systems spell with odd characters."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from dataclasses import dataclass

# Nearly every sentence has nothing else.
_USUAL = re.compile(r"[\t\n -~¡-¬®-±´-¸»¿-ɏ…’”“‘]*+")
_MINUS = "\u2212"
_DOTS = "\u00b7\u2022\u2219\u22c5\u2027\u30fb"
_SLASHES = "\u2044\u2215"
_GLUED = re.compile(r"(?<=[a-zæøå])(?=[A-ZÆØÅ])")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text, and where in the text it was made of each of its characters stands (none: at the same place)."""

    text: str
    places: tuple[int, ...] | None = None

    def where(self, start: int, end: int) -> tuple[int, int]:
        """Return where what stands from ``start`` to ``end`` in the folded text stands in the text it was made of."""
        if self.places is None or start == end:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def folded(text: str) -> Folded:
    """Fold what reads alike: invisible characters and accents of their own go, and every space, dash, dot between groups, wide
    letter and digit of another script becomes the plain one. Superscripts stay, so that a footnote mark is no digit.
    """
    if _USUAL.fullmatch(text):
        return Folded(text)
    plain = [_plain(character) for character in text]
    places = tuple(place for place, character in enumerate(plain) if character)
    return Folded("".join(plain), None if len(places) == len(text) else places)


def apart(text: str) -> Folded:
    """Fold ``text``, and put a space between words that only a change of case tells apart ("MetteHansen")."""
    found = folded(text)
    if not _GLUED.search(found.text):
        return found
    before = found.places or range(len(found.text))
    edges = [0, *(match.start() for match in _GLUED.finditer(found.text)), len(found.text)]
    parts = [(found.text[start:end], before[start:end]) for start, end in itertools.pairwise(edges)]
    places: list[int] = []
    for _, of_part in parts:
        places += [of_part[0], *of_part] if places else of_part
    return Folded(" ".join(part for part, _ in parts), tuple(places))


@functools.lru_cache(maxsize=10_000)
def _plain(character: str) -> str:
    """Return what one character is folded to: one character, or none."""
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        return ""
    if category == "Zs":
        return " "
    if category == "Pd" or character == _MINUS:
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _DOTS:
        return "·"
    if character in _SLASHES:
        return "/"
    alike = unicodedata.normalize("NFKC", character)
    is_raised = unicodedata.decomposition(character).startswith(("<super>", "<sub>"))
    return alike if len(alike) == 1 and not is_raised else character
