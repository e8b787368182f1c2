"""The texts and building blocks of the sample Denmark (``data/sample_web``), read and checked.

All of it is fiction written for this project; ``data/sample_web/README.md`` says what it is and is not.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import Municipality, municipalities, read_csv, read_yaml
from tryg_assets.errors import DataFileError

LABELS = ("initiative", "passing", "old", "english")
_TEXT_FIELDS = frozenset(
    (
        "id",
        "label",
        "title",
        "body",
        "areas",
        "themes",
        "initiatives",
        "actors",
        "news",
        "news_title",
        "needs",
        "fits",
    )
)
_PLACE_COLUMNS = (
    *("slug", "by", "by2", "bydel", "skole", "skole2", "boligselskab", "idraetsklub", "plejecenter"),
    *("bibliotek", "kulturhus", "politikreds", "region", "kyst"),
)


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor named in a text: how it is written there, its role, its subcategory."""

    surface: str
    role: str
    subcategory: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text for one page, with its authors' intention (areas, themes, initiatives, actors)."""

    id: str
    label: str
    title: str
    body: str
    areas: tuple[str, ...]
    themes: tuple[str, ...]
    initiatives: tuple[str, ...]
    actors: tuple[Actor, ...]
    news_title: str | None
    news: str | None
    coast: bool
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of municipal service: paragraphs that can stand in any order."""

    id: str
    section: str
    title: str
    plain: tuple[str, ...]
    passing: tuple[str, ...]
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph for the page of one service topic whose words have the stem, but do not mean safety."""

    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """What a municipality's texts are filled with."""

    municipality: Municipality
    words: dict[str, str]
    coast: bool

    def fill(self, text: str) -> str:
        """Return ``text`` with the placeholders filled in."""
        return text.format_map(self.words)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that pages are made of."""

    texts: dict[str, Text]
    topics: dict[str, Topic]
    noise_words: tuple[Note, ...]
    names: tuple[Note, ...]
    jobs: dict[str, tuple[str, ...]]
    contacts: dict[str, tuple[str, ...]]
    agenda: tuple[str, ...]
    news: tuple[str, ...]
    missing_pages: tuple[tuple[str, str], ...]
    places: dict[str, Place]
    site: dict[str, Any]

    def labelled(self, label: str) -> list[Text]:
        """Return the texts with ``label``, by id."""
        return [text for text in self.texts.values() if text.label == label]


def held_out(text_id: str) -> bool:
    """Whether a text is in the third that no rule may be fitted to."""
    return int(hashlib.sha256(text_id.encode()).hexdigest(), 16) % 3 == 0


def read_texts(folder: Path) -> dict[str, Text]:
    """Read every file of texts, by id.

    Raises:
        DataFileError: an entry lacks a field, has an unknown one, an unknown label, or an id is there twice.
    """
    found: dict[str, Text] = {}
    for path in sorted(folder.glob("*.yml")):
        for number, entry in enumerate(read_yaml(path), 1):
            where = f"entry {number}"
            try:
                text = _text(entry)
            except (KeyError, TypeError, AttributeError) as problem:
                raise DataFileError(
                    path, where, f"field {problem} is missing or wrong", "See the other entries."
                ) from None
            where = f"entry '{text.id}'"
            if unknown := entry.keys() - _TEXT_FIELDS:
                raise DataFileError(
                    path,
                    where,
                    f"field '{min(unknown)}' is unknown",
                    f"Use {', '.join(sorted(_TEXT_FIELDS))}.",
                )
            if text.label not in LABELS:
                raise DataFileError(
                    path, where, f"label '{text.label}' is unknown", f"Use {', '.join(LABELS)}."
                )
            if text.label == "initiative" and not (text.areas and text.themes and text.initiatives):
                raise DataFileError(
                    path, where, "an initiative needs areas, themes and initiatives", "Add them."
                )
            if text.id in found:
                raise DataFileError(path, where, "the id is there twice", "Give it a new number.")
            found[text.id] = text
    return dict(sorted(found.items()))


def _text(entry: dict[str, Any]) -> Text:
    return Text(
        id=entry["id"],
        label=entry["label"],
        title=entry["title"].strip(),
        body=entry["body"].strip(),
        areas=tuple(entry.get("areas") or ()),
        themes=tuple(entry.get("themes") or ()),
        initiatives=tuple(one["name"] for one in entry.get("initiatives") or ()),
        actors=tuple(Actor(one["surface"], one["role"], one["sub"]) for one in entry.get("actors") or ()),
        news_title=entry.get("news_title"),
        news=entry["news"].strip() if "news" in entry else None,
        coast=entry.get("needs") == "kyst",
        types=frozenset(entry.get("fits") or ()),
    )


def read_topics(path: Path) -> dict[str, Topic]:
    """Read the bank of service topics, by id.

    Raises:
        DataFileError: an entry lacks a field.
    """
    found: dict[str, Topic] = {}
    for number, entry in enumerate(read_yaml(path), 1):
        try:
            found[entry["id"]] = Topic(
                entry["id"],
                entry["section"],
                entry["title"],
                tuple(entry["plain"]),
                tuple(entry["passing"]),
                tuple(entry["lists"]),
            )
        except (KeyError, TypeError) as problem:
            raise DataFileError(
                path, f"entry {number}", f"field {problem} is missing", "See the other entries."
            ) from None
    return found


def read_places(path: Path) -> dict[str, Place]:
    """Read the words that texts are filled with, by municipality.

    Raises:
        DataFileError: a municipality is missing or unknown, or a cell is empty.
    """
    known = municipalities()
    found: dict[str, Place] = {}
    for line, row in read_csv(path, _PLACE_COLUMNS):
        if row["slug"] not in known:
            raise DataFileError(
                path,
                f"row {line}",
                f"municipality '{row['slug']}' is unknown",
                "Use a slug of municipalities.csv.",
            )
        if empty := [name for name in _PLACE_COLUMNS if not row[name]]:
            raise DataFileError(path, f"row {line}", f"column '{empty[0]}' is empty", "Fill it in.")
        municipality = known[row["slug"]]
        words = {**row, "kommune": municipality.name, "navn": municipality.short_name}
        found[row["slug"]] = Place(municipality, words, row["kyst"] == "ja")
    if missing := known.keys() - found.keys():
        raise DataFileError(path, "file", f"municipality '{min(missing)}' is missing", "Add a row.")
    return dict(sorted(found.items()))


def _notes(path: Path, key: str) -> Iterator[Note]:
    for number, entry in enumerate(read_yaml(path)[key], 1):
        try:
            yield Note(entry["topic"], entry["text"])
        except (KeyError, TypeError) as problem:
            raise DataFileError(
                path, f"{key} {number}", f"field {problem} is missing", "See the other entries."
            ) from None


@functools.cache
def material() -> Material:
    """Return everything the sample Denmark is made of.

    Raises:
        DataFileError: a file is wrong; the message names file and entry.
    """
    banks = paths.SAMPLE_WEB / "banks"
    return Material(
        texts=read_texts(paths.SAMPLE_WEB / "texts"),
        topics=read_topics(banks / "service.yml"),
        noise_words=tuple(_notes(banks / "noise.yml", "noise_word")),
        names=tuple(_notes(banks / "noise.yml", "name_only")),
        jobs={slot: tuple(blocks) for slot, blocks in read_yaml(banks / "job.yml").items()},
        contacts={slot: tuple(blocks) for slot, blocks in read_yaml(banks / "kontakt.yml").items()},
        agenda=tuple(read_yaml(banks / "moeder.yml")),
        news=tuple(read_yaml(banks / "nyt.yml")),
        missing_pages=tuple((entry["title"], entry["text"]) for entry in read_yaml(banks / "soft404.yml")),
        places=read_places(paths.SAMPLE_WEB / "places.csv"),
        site=read_yaml(paths.SAMPLE_WEB / "site.yml"),
    )
