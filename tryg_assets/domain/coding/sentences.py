"""Numbered sentences of a page."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, a heading or a list item. ``block`` numbers the block of text it is from, from 0."""

    text: str
    heading: bool
    item: bool
    block: int


@functools.cache
def _words(name: str) -> frozenset[str]:
    """Return one of the lists of ``data/codebook/abbreviations.yml``."""
    return frozenset(word.lower() for word in read_yaml(paths.CODEBOOK / "abbreviations.yml")[name])


_WORD = re.compile(r"\w+")
_END = re.compile(r"[.!?]+[\"'”»)]*\s+(?=[\"'“»(]*[A-ZÆØÅ0-9])")


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """Split text (one block a line; '# ' marks a heading, '- ' a list item) into sentences.

    A full stop after an abbreviation of ``data/codebook/abbreviations.yml``, an initial or an ordinal ends nothing; after
    some abbreviations ("kr.") it does if the next word can only be the first of a sentence.
    """
    found: list[Sentence] = []
    for number, line in enumerate(part for part in text.split("\n") if part.strip()):
        if line.startswith("# "):
            found.append(Sentence(line[2:].strip(), True, False, number))
            continue
        item = line.startswith("- ")
        body = line[2:] if item else line
        start = 0
        for match in _END.finditer(body):
            head = body[start : match.end()].strip()
            last = head.rstrip(".").rsplit(None, 1)[-1].lower() if head.strip(".!? ") else ""
            if head.endswith(".") and _goes_on(last, body[match.end() :]):
                continue
            found.append(Sentence(head, False, item, number))
            start = match.end()
        if tail := body[start:].strip():
            found.append(Sentence(tail, False, item, number))
    return tuple(found)


def _goes_on(last: str, rest: str) -> bool:
    """Whether a sentence goes on with ``rest`` after the word ``last`` and a full stop."""
    if last in _words("may_end"):
        following = _WORD.search(rest)
        return following is None or following[0].lower() not in _words("openers")
    return last in _words("abbreviations") or len(last) == 1 or (last.isdigit() and len(last) <= 2)
