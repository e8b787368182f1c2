"""A page as the rules read it: each sentence with its words, what they mean, and whether safety is central in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tryg_assets.domain.coding.codebook import Relevance
from tryg_assets.domain.coding.interface import Page, fold
from tryg_assets.domain.coding.lexicon import words_of
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.senses import word_senses

_STEM = re.compile(r"tryg|tryk", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """The title (number 0) or a sentence. ``safe`` holds its safety words, ``labels`` the terms found by list.

    ``afar`` lines are about the work or talk of others than the municipality; in ``deliberate`` ones safety is the point of
    something done.
    """

    number: int
    text: str
    folded: str
    words: list[str]
    heading: bool
    item: bool
    safe: tuple[str, ...]
    peripheral: bool
    afar: bool
    deliberate: bool
    labels: dict[str, set[str]]

    @property
    def central(self) -> bool:
        """Whether the line has a safety word that is not peripheral."""
        return bool(self.safe) and not self.peripheral


@dataclass(frozen=True, slots=True)
class Reading:
    """A page read by the rules."""

    title: Line
    lines: tuple[Line, ...]

    @property
    def all(self) -> tuple[Line, ...]:
        """The title and the sentences."""
        return (self.title, *self.lines)


def read(page: Page, rules: Relevance) -> Reading:
    """Read a page: tell the senses of its stem words apart and mark peripheral sentences."""
    texts = [page.title, *(sentence.text for sentence in page.sentences)]
    safe = _safety_words(texts)
    lines = []
    for number, text in enumerate(texts):
        sentence = page.sentences[number - 1] if number else None
        folded = fold(text)
        for word in safe[number]:
            if "tryk" in word:  # machine-read documents print g as k
                folded = folded.replace(word, word.replace("trykk", "trygg").replace("tryk", "tryg"))
        words = words_of(folded)
        afar = rules.afar.search(folded) is not None
        peripheral = bool(safe[number]) and (afar or _peripheral(folded, rules))
        lines.append(
            Line(
                number=number,
                text=text,
                folded=folded,
                words=words,
                heading=sentence is None or sentence.heading,
                item=sentence is not None and sentence.item,
                safe=tuple(word.replace("trykk", "trygg").replace("tryk", "tryg") for word in safe[number]),
                peripheral=peripheral,
                afar=afar,
                deliberate=bool(safe[number])
                and not peripheral
                and rules.deliberate.search(folded) is not None,
                labels=rules.words.labels_in(folded, words),
            )
        )
    return Reading(lines[0], tuple(lines[1:]))


def _peripheral(folded: str, rules: Relevance) -> bool:
    return rules.peripheral.search(folded) is not None and rules.rescued.search(folded) is None


def _safety_words(texts: list[str]) -> list[list[str]]:
    """Return the safety words of each text in lower case. The texts are judged together: one misread word of a
    document tells how to read the others."""
    rules = cleaning_rules()
    with_stem = [number for number, text in enumerate(texts) if _STEM.search(text.replace("\u00ad", ""))]
    flat = iter(word_senses("\n".join(texts[number] for number in with_stem), rules))
    found: list[list[str]] = [[] for _ in texts]
    for number in with_stem:
        for _ in word_senses(texts[number], rules):
            word, sense = next(flat)
            if sense == "safe":
                found[number].append(fold(word))
    return found
