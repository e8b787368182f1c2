"""The words reviewers see and may type, from ``data/review/words.yml``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.coding.codebook import codebook
from tryg_assets.domain.reference import focus_areas, read_yaml
from tryg_assets.errors import DataFileError

_QUESTIONS = {
    "decision": ("yes", "no", "doubt"),
    "area": ("yes", "no"),
    "rest": ("no",),
    "reply": ("agree", "disagree"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer a cell offers: the value stored, the label shown, and what else is understood as it."""

    value: str
    label: str
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewWords:
    """Choices by question, headings by column, names of sheets, the guide's paragraphs by kind of workbook, and labels of Label Studio."""

    choices: Mapping[str, tuple[Choice, ...]]
    columns: Mapping[str, str]
    sheets: Mapping[str, str]
    guide: Mapping[str, tuple[str, ...]]
    label_studio: Mapping[str, str]

    def label(self, question: str, value: str) -> str:
        """Return what is shown for a stored value."""
        return next(choice.label for choice in self.choices[question] if choice.value == value)

    def labels(self, question: str) -> tuple[str, ...]:
        """Return what a cell offers."""
        return tuple(choice.label for choice in self.choices[question])

    def understand(self, question: str, typed: str) -> str | None:
        """Return the value of what somebody chose or typed, or ``None`` if it is none of the known words."""
        folded = " ".join(typed.split()).casefold()
        for choice in self.choices[question]:
            if folded in (choice.label.casefold(), *choice.also):
                return choice.value
        return None

    def heading(self, column: str) -> str:
        """Return the heading of a column; focus areas have their own names."""
        areas = focus_areas()
        return areas[column].name if column in areas else self.columns[column]


@functools.cache
def review_words() -> ReviewWords:
    """Read and check the words.

    Raises:
        DataFileError: an entry is missing, or one word stands for two answers to the same question.
    """
    path = paths.REVIEW / "words.yml"
    raw = read_yaml(path)
    try:
        choices = {question: _choices(raw["choices"][question], question) for question in _QUESTIONS}
        guide = {kind: tuple(_guide(lines)) for kind, lines in raw["guide"].items()}
        words = ReviewWords(
            choices, dict(raw["columns"]), dict(raw["sheets"]), guide, dict(raw["label_studio"])
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise DataFileError(
            path, "file", f"entry {problem} is missing or malformed", "Compare with git."
        ) from problem
    for question, offered in words.choices.items():
        said = [word for choice in offered for word in {choice.label.casefold(), *choice.also}]
        if doubles := sorted({word for word in said if said.count(word) > 1}):
            raise DataFileError(
                path, f"choices, {question}", f"'{doubles[0]}' stands for two answers", "Keep it at one."
            )
    return words


def _choices(raw: dict[str, Any], question: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(value, raw[value]["label"], tuple(word.casefold() for word in raw[value]["also"]))
        for value in _QUESTIONS[question]
    )


def _guide(lines: list[str]) -> list[str]:
    book = codebook()
    criteria = "\n".join(
        f"• {entry.id.replace('_', ' ').capitalize()}: {entry.description}" for entry in book.criteria
    )
    return [
        line.format(definition=book.definition, in_doubt=book.in_doubt, criteria=criteria) for line in lines
    ]
