"""Names of initiatives: how a page calls what it describes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tryg_assets.domain.coding.codebook import Attributes, Relevance
from tryg_assets.domain.coding.reading import Line, Reading
from tryg_assets.domain.reference import municipalities

_QUOTED = re.compile(
    r"[\"“”„»«]([A-ZÆØÅ0-9][^\"“”„»«]{2,70}?)[\"“”»«]|(?<!\w)['‘’]([A-ZÆØÅ0-9][^'‘’]{2,70}?)['’](?!\w)"
)
_TOKEN = re.compile(r"[\w&/-]+|[^\w\s]")
_PARTS = re.compile(r"\s*[:|]\s+|\s+[–—-]\s+")
_NO_NAME_END = re.compile(r"[.!?,;]$")
_LONGEST = 9  # words
_A_NAME = 3.0  # strength


@dataclass(frozen=True, slots=True)
class Name:
    """A name and how strongly the page gives it."""

    text: str
    strength: float

    @property
    def given(self) -> bool:
        """Whether the page itself uses it as a name."""
        return self.strength >= _A_NAME


def best_name(reading: Reading, municipality: str, rules: Attributes) -> Name:
    """Return the name of what a page describes; the cleaned title if the page gives no name."""
    title = rules.name_openings.sub("", clean_title(reading.title.text, municipality))
    title = title[:1].upper() + title[1:]
    found: dict[str, float] = {}
    for line in reading.lines:
        if line.heading:
            continue
        for text, strength in _names_in(line, rules):
            name = trim(text)
            if not _plausible(name, municipality):
                continue
            found[name] = max(found.get(name, 0.0), strength)
    body = [line.text for line in reading.lines if not line.heading]
    for part in _title_parts(title):
        if _plausible(part, municipality) and any(part in text for text in body):
            found[part] = found.get(part, 0.0) + 2.5
    for name in found:
        found[name] += 1.5 * (name in reading.title.text)
        found[name] += 1.0 * ("tryg" in name.casefold())
        found[name] += 0.5 * (sum(name in text for text in body) > 1)
    if not found:
        return Name(title, 0.0)
    best = min(found, key=lambda name: (-found[name], -len(name), name))
    return Name(best, found[best]) if found[best] >= _A_NAME else Name(title, found[best])


def _names_in(line: Line, rules: Attributes) -> list[tuple[str, float]]:
    """Return (name, strength) for what this line quotes, introduces ("projektet X") or christens ("X hedder ...")."""
    found = []
    introduced = any(word.endswith(rules.name_leads) for word in line.words)
    said = any(word in rules.name_sayings for word in line.words)
    for match in _QUOTED.finditer(line.text):
        text = match[1] or match[2]
        if not _NO_NAME_END.search(text) and len(text.split()) <= 7:
            found.append((text, 1.5 + 1.5 * introduced + 1.5 * said))
    tokens = _TOKEN.findall(line.text)
    for position, token in enumerate(tokens[:-1]):
        low = token.casefold()
        after = _run(tokens[position + 1 :], rules)
        if after is None:
            continue
        if low in rules.name_sayings or (low.endswith(rules.name_leads) and low[0].isalpha()):
            found.append((after, 3.0))
        elif token[0].isalnum() and "tryg" in after.split()[0].casefold():
            found.append((after, 2.0))  # with the point for safety that best_name gives, a name
    found += _christened(tokens, rules)
    return found


def _christened(tokens: list[str], rules: Attributes) -> list[tuple[str, float]]:
    """Return the subject of "X hedder ordningen"."""
    for position, token in enumerate(tokens[1:_LONGEST], 1):
        before, after = tokens[:position], tokens[position + 1 : position + 2]
        if token in rules.name_sayings and after and after[0].islower():
            plain = all(word[0].isalnum() and word.casefold() not in rules.name_stops for word in before)
            return [(" ".join(before), 3.0)] if plain and len(before) <= 5 else []
    return []


def _run(tokens: list[str], rules: Attributes) -> str | None:
    """Return the name at the start of ``tokens``: a capital, then words up to a mark or a verb, or to the last capital."""
    if not tokens or not tokens[0][0].isupper() or tokens[0].casefold() in rules.name_stops:
        return None
    taken: list[str] = []
    last = 0
    for number, token in enumerate(tokens[:_LONGEST]):
        if token in rules.name_stops or not (token[0].isalnum() or token == "&"):
            # "Tilsyn med omtanke, der ...", "Tryg hjem fra hospitalet er ...": a short phrase is the name as it stands.
            last = number - 1 if number <= 6 else last
            break
        taken.append(token)
        last = number if token[0].isupper() else last
    if last == 0 and taken[0].endswith("s") and len(taken) > 1 and taken[1] not in rules.name_links:
        last = 1  # a genitive does not stand alone: "Hverdagens øjne"
    while last and taken[last] in rules.name_links:
        last -= 1
    return " ".join(taken[: last + 1])


def clean_title(title: str, municipality: str) -> str:
    """Return a title without the municipality's name and the site's name at its ends."""
    known = municipalities().get(municipality)
    text = title.strip()
    if known:
        names = "|".join(
            re.escape(name) for name in (known.name, known.short_name, f"{known.short_name} Kommune")
        )
        text = re.sub(rf"\s*(?:[|–—-]|\bi)\s+(?:{names})$|^(?:{names})\s*[:|–—-]\s+", "", text)
    return trim(text) or title.strip()


def trim(text: str) -> str:
    """Return ``text`` without marks and spaces at its ends."""
    return re.sub(r"\s+", " ", text).strip(" \"“”„»«'‘’.,:;!?()-–—")


def _title_parts(title: str) -> list[str]:
    whole = [trim(part) for part in _PARTS.split(title)]
    starts = [" ".join(title.split()[:count]) for count in range(2, min(_LONGEST, len(title.split())))]
    return [part for part in dict.fromkeys([*whole, title, *starts]) if len(part) > 3 and part[0].isupper()]


def _plausible(name: str, municipality: str) -> bool:
    known = municipalities().get(municipality)
    own = (known.name, known.short_name) if known else ()
    words = name.split()
    unit = words[-1].casefold() if words else ""
    return (
        3 < len(name) <= 90
        and name not in own
        and not name.casefold().startswith("region ")
        and not unit.endswith(
            ("politi", "kommune", "kommunes", "fonden", "forvaltningen", "udvalget", "styrelsen")
        )
    )


def section_names(reading: Reading, rules: Relevance) -> list[tuple[str, tuple[Line, ...]]]:
    """Return (name, lines) of the sections that each describe an initiative of its own; none if there are not two.

    All headings must be names (no question, no plain word such as "Praktisk") and safety spoken of in most sections: else
    the headings divide the description of one initiative.
    """
    sections: list[tuple[Line, list[Line]]] = []
    for line in reading.lines:
        if line.heading:
            sections.append((line, []))
        elif sections:
            sections[-1][1].append(line)
    named = [
        (trim(heading.text), (heading, *lines))
        for heading, lines in sections
        if lines
        and "?" not in heading.text
        and len(heading.words) <= _LONGEST
        and not heading.folded.startswith(rules.plain_headings)
    ]
    spoken = sum(any(line.safe for line in lines) for _, lines in named)
    return named if len(named) >= 2 and len(named) == len(sections) and 2 * spoken >= len(named) else []


def listed_names(reading: Reading, rules: Relevance) -> list[tuple[str, tuple[Line, ...]]]:
    """Return (name, line) of the items in a list that a heading or sentence announces as the document's initiatives."""
    found: list[tuple[str, tuple[Line, ...]]] = []
    announced, run = False, list[Line]()
    lead: list[Line] = []
    for line in (*reading.lines, None):
        if line is not None and line.item:
            run.append(line)
            continue
        if announced and len(run) >= 4 and all(len(item.words) <= 10 for item in run):
            found += [(trim(item.text), (item,)) for item in run if item.text[:1].isupper()]
        run = []
        lead = [*lead[-1:], line] if line is not None else []
        announced = any(before.safe or "prioriter" in before.folded for before in lead) and any(
            rules.list_headings.find(before.folded, before.words) for before in lead
        )
    return found
