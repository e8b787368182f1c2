"""What each word with the stem means on a page: safety, a name, or noise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from tryg_assets.domain.filtering.rules import CleaningRules

Sense = Literal["safe", "name", "noise"]
_TOKEN = re.compile(r"A/S|\w+(?:[-‑]\w+)*|[^\w\s]")
_ADDRESS_SIGN = re.compile(r"@|\w\.\w")


def word_senses(text: str, rules: CleaningRules) -> list[tuple[str, Sense]]:
    """Return (word as written, sense) for each word of ``text`` with the stem, in order."""
    clean = text.replace("\u00ad", "")
    misread = dict(rules.senses)["misread"]
    machine_read = any(misread.match(word) for word in re.findall(r"\w+", clean))
    return [
        (word, sense) for line in clean.split("\n") for word, sense in _line_senses(line, rules, machine_read)
    ]


def _line_senses(line: str, rules: CleaningRules, machine_read: bool) -> Iterator[tuple[str, Sense]]:
    low_line = line.lower()
    if "tryg" not in low_line and "tryk" not in low_line:
        return
    tokens = list(_tokens(re.sub(r"^(# |- )", "", line), rules))
    for position, token in enumerate(tokens):
        low = token.lower()
        if "tryg" not in low and "tryk" not in low:
            continue
        low = low.replace("‑", "-")
        before = tokens[position - 1] if position else ""
        after = tokens[position + 1] if position + 1 < len(tokens) else ""
        if rules.addresses.fullmatch(token):
            yield token, "name"
        elif low in rules.ambiguous:
            yield token, "safe" if machine_read else "noise"
        elif token in ("Tryg", "Trygs", "TRYG") and _is_insurer(before, after, low_line, rules):
            yield token, "name"
        else:
            sense = next((sense for sense, pattern in rules.senses if pattern.match(low)), "noise")
            yield token, "safe" if sense == "misread" else sense  # type: ignore[misc]


def _tokens(line: str, rules: CleaningRules) -> Iterator[str]:
    """Yield the words and marks of a line; an address with the stem is one word."""
    start = 0
    # Most lines have no address; looking for one costs more than everything else.
    for address in rules.addresses.finditer(line) if _ADDRESS_SIGN.search(line) else ():
        yield from _TOKEN.findall(line[start : address.start()])
        # A full stop or bracket after it ends the sentence, not the address.
        yield address.group().rstrip(".,;:!?)»\"'")
        start = address.end()
    yield from _TOKEN.findall(line[start:])


def _is_insurer(before: str, after: str, low_line: str, rules: CleaningRules) -> bool:
    """Whether the word 'Tryg' is the insurance company: by what stands after, before and around it."""
    if after.lower() in rules.insurer_followers or before.lower() in rules.insurer_leaders:
        return True
    inside_sentence = before not in ("", ".", "!", "?", ":", '"', "”", "“", "»", "'", "’", "‘", "–", "-", "(")
    part_of_name = (
        after[:1].isupper()
        or after.isdigit()
        or (
            after.lower() in ("i", "på", "og") and not any(word in low_line for word in rules.insurer_context)
        )
    )
    return inside_sentence and not part_of_name


def count_senses(text: str, rules: CleaningRules) -> dict[Sense, Counter[str]]:
    """Return the words with the stem in lower case, with counts, by sense."""
    counts: dict[Sense, Counter[str]] = {"safe": Counter(), "name": Counter(), "noise": Counter()}
    for word, sense in word_senses(text, rules):
        counts[sense][word.lower()] += 1
    return counts
