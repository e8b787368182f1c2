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
def _abbreviations() -> frozenset[str]:
    return frozenset(word.lower() for word in read_yaml(paths.CODEBOOK / "abbreviations.yml"))


_END = re.compile(r"[.!?]+[\"'”»)]*\s+(?=[\"'“»(]*[A-ZÆØÅ0-9])")


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """Split text (one block a line; '# ' marks a heading, '- ' a list item) into sentences.

    A full stop after an abbreviation of ``data/codebook/abbreviations.yml``, an initial or an ordinal ends nothing.
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
            if head.endswith(".") and (
                last in _abbreviations() or len(last) == 1 or (last.isdigit() and len(last) <= 2)
            ):
                continue
            found.append(Sentence(head, False, item, number))
            start = match.end()
        if tail := body[start:].strip():
            found.append(Sentence(tail, False, item, number))
    return tuple(found)
