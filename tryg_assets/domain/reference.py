"""Facts about Denmark and the report's frame, read from ``data/reference`` and checked as they are read."""

from __future__ import annotations

import csv
import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yarl import URL

from tryg_assets import paths
from tryg_assets.errors import DataFileError

_Model = TypeVar("_Model", bound=BaseModel)
UNRESOLVED = "uafklaret"
MUNICIPALITY_TYPES = {"storby": 5, "forstad": 20, "koebstad": 21, "opland": 29, "landdistrikt": 23}
REGIONS = ("Hovedstaden", "Sjælland", "Syddanmark", "Midtjylland", "Nordjylland")
CRITERIA = ("strategi", "handleplan", "projekt", "program", "budgetpost", "besluttet_aktivitet")


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality: ``slug`` is the partition key, ``code`` Statistics Denmark's four digits."""

    slug: str
    code: str
    name: str
    short_name: str
    type: str
    region: str
    website: str
    extra_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme within a focus area."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class FocusArea:
    """One of the 11 focus areas."""

    id: str
    name: str
    description: str
    themes: tuple[Theme, ...]


@dataclass(frozen=True, slots=True)
class Subcategory:
    """One of the 110 subcategories of actors."""

    id: str
    name: str
    master: str
    definition: str
    typical_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActorTaxonomy:
    """The closed taxonomy: 7 master categories (id to name) and 110 subcategories (by id)."""

    masters: dict[str, str]
    subcategories: dict[str, Subcategory]


@dataclass(frozen=True, slots=True)
class OrganisationForm:
    """One of the eight forms of organisation, with the words that point to it."""

    id: str
    number: int
    name: str
    description: str
    signals: tuple[str, ...]


def read_csv(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a CSV file; surplus columns are kept.

    Raises:
        DataFileError: the file is missing, not UTF-8, lacks a column, or a row is too short or too long.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataFileError(path, "file", "it does not exist", "Check the path.") from None
    except OSError as problem:
        raise DataFileError(
            path, "file", f"it cannot be read ({problem.strerror})", "Give a CSV file."
        ) from None
    except UnicodeDecodeError as problem:
        raise DataFileError(
            path, f"byte {problem.start}", "it is not UTF-8", "Save it as CSV UTF-8."
        ) from None
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise DataFileError(
            path, "header", f"column {', '.join(missing)} is missing", f"It needs {', '.join(columns)}."
        )
    for row in reader:
        if None in row or None in row.values():
            raise DataFileError(
                path, f"row {reader.line_num}", "it has too few or too many cells", "Quote cells with commas."
            )
        yield reader.line_num, {key: value.strip() for key, value in row.items()}


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        DataFileError: the file is missing, not UTF-8 or not YAML; the message names the line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_YAML_LOADER)
    except FileNotFoundError:
        raise DataFileError(path, "file", "it does not exist", "Restore it from the project.") from None
    except UnicodeDecodeError as problem:
        raise DataFileError(path, f"byte {problem.start}", "it is not UTF-8", "Save it as UTF-8.") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"row {mark.line + 1}" if mark else "file"
        raise DataFileError(
            path, where, f"it is not valid YAML ({getattr(problem, 'problem', problem)})", "Mend the row."
        ) from None


def read_typed(path: Path, model: type[_Model]) -> _Model:
    """Return the content of a YAML file as ``model``; fields it does not know are wrong.

    Raises:
        DataFileError: as ``read_yaml``, or an entry is missing or of another kind; the message names it.
    """
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ", ".join(str(part) for part in first["loc"]) or "file"
        given = "" if first["type"] == "missing" else f" ({first['input']!r:.60})"
        raise DataFileError(
            path, where, f"{first['msg']}{given}", "Compare with the other entries."
        ) from None


_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MUNICIPALITY_COLUMNS = ("slug", "code", "name", "short_name", "type", "region", "website", "extra_hosts")


def check_website(path: Path, where: str, address: str) -> str:
    """Return ``address`` if it is an absolute http(s) address.

    Raises:
        DataFileError: it is not.
    """
    try:
        url = URL(address)
        valid = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        valid = False
    if not valid:
        raise DataFileError(
            path,
            where,
            f"website '{address}' is not an http(s) address",
            "Write it as https://www.example.dk.",
        )
    return address


def check_type(path: Path, where: str, kind: str) -> str:
    """Return ``kind`` if it is one of the five municipality types.

    Raises:
        DataFileError: it is not.
    """
    if kind not in MUNICIPALITY_TYPES:
        raise DataFileError(
            path, where, f"type '{kind}' is unknown", f"Use one of {', '.join(MUNICIPALITY_TYPES)}."
        )
    return kind


def read_municipalities(path: Path) -> tuple[Municipality, ...]:
    """Read and check the list of the 98 municipalities, sorted by slug.

    Raises:
        DataFileError: a row has a wrong type, code, region, address or is there twice, or a type has another
            number of members than in the report (page 23).
    """
    found: list[Municipality] = []
    seen: dict[str, int] = {}
    for line, row in read_csv(path, _MUNICIPALITY_COLUMNS):
        where = f"row {line}"
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", row["slug"]):
            raise DataFileError(
                path, where, f"slug '{row['slug']}' is not lower-case ASCII", "Write aa, ae, oe for å, æ, ø."
            )
        if not re.fullmatch(r"0[1-8]\d\d", row["code"]):
            raise DataFileError(
                path,
                where,
                f"code '{row['code']}' is not a municipality code",
                "Use four digits such as 0751.",
            )
        check_type(path, where, row["type"])
        if row["region"] not in REGIONS:
            raise DataFileError(
                path, where, f"region '{row['region']}' is unknown", f"Use one of {', '.join(REGIONS)}."
            )
        check_website(path, where, row["website"])
        for key in (row["slug"], row["code"], row["name"]):
            if key in seen:
                raise DataFileError(
                    path, where, f"'{key}' is already in row {seen[key]}", "Remove one of the two."
                )
            seen[key] = line
        hosts = tuple(host.strip() for host in row["extra_hosts"].split(";") if host.strip())
        found.append(
            Municipality(
                slug=row["slug"],
                code=row["code"],
                name=row["name"],
                short_name=row["short_name"],
                type=row["type"],
                region=row["region"],
                website=row["website"],
                extra_hosts=hosts,
            )
        )
    counts = Counter(entry.type for entry in found)
    for kind, expected in MUNICIPALITY_TYPES.items():
        if counts[kind] != expected:
            raise DataFileError(
                path,
                "file",
                f"type '{kind}' has {counts[kind]} members, the report has {expected}",
                "Compare with its page 23.",
            )
    return tuple(sorted(found, key=lambda entry: entry.slug))


def read_focus_areas(path: Path) -> tuple[FocusArea, ...]:
    """Read the 11 focus areas with their themes, in the report's order.

    Raises:
        DataFileError: there are not 11, an id is there twice, or an entry lacks a field.
    """
    areas = []
    for number, entry in enumerate(_entries(path, "areas"), 1):
        try:
            themes = tuple(Theme(t["id"], t["name"], t["description"].strip()) for t in entry["themes"])
            areas.append(FocusArea(entry["id"], entry["name"], entry["description"].strip(), themes))
        except (KeyError, TypeError, AttributeError) as problem:
            raise DataFileError(
                path, f"entry {number}", f"field {problem} is missing", "See the other entries."
            ) from problem
    _refuse_doubles(path, [area.id for area in areas] + [theme.id for area in areas for theme in area.themes])
    if len(areas) != 11:
        raise DataFileError(
            path, "file", f"it has {len(areas)} focus areas, the report has 11", "Restore the missing one."
        )
    return tuple(areas)


def read_actor_taxonomy(path: Path) -> ActorTaxonomy:
    """Read the taxonomy of actors.

    Raises:
        DataFileError: there are not 7 x 110 categories, an id is there twice, or an entry lacks a field.
    """
    masters: dict[str, str] = {}
    subs: list[Subcategory] = []
    for number, entry in enumerate(_entries(path, "masters"), 1):
        try:
            masters[entry["id"]] = entry["name"]
            subs.extend(
                Subcategory(
                    s["id"], s["name"], entry["id"], s["definition"].strip(), tuple(s["typical_names"])
                )
                for s in entry["subcategories"]
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise DataFileError(
                path, f"entry {number}", f"field {problem} is missing", "See the other entries."
            ) from problem
    _refuse_doubles(path, [sub.id for sub in subs])
    if (len(masters), len(subs)) != (7, 110):
        raise DataFileError(
            path, "file", f"it has {len(masters)} x {len(subs)} categories, not 7 x 110", "Compare with git."
        )
    return ActorTaxonomy(masters, {sub.id: sub for sub in subs})


def read_organisation_forms(path: Path) -> tuple[OrganisationForm, ...]:
    """Read the eight forms of organisation.

    Raises:
        DataFileError: there are not eight, or an entry lacks a field.
    """
    forms = []
    for number, entry in enumerate(_entries(path, "forms"), 1):
        try:
            forms.append(
                OrganisationForm(
                    entry["id"],
                    int(entry["number"]),
                    entry["name"],
                    entry["description"].strip(),
                    tuple(entry["signals"]),
                )
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise DataFileError(
                path, f"entry {number}", f"field {problem} is missing", "See the other entries."
            ) from problem
    if len(forms) != 8:
        raise DataFileError(
            path, "file", f"it has {len(forms)} forms, the report has 8", "Restore the missing one."
        )
    return tuple(forms)


def _entries(path: Path, key: str) -> list[Any]:
    content = read_yaml(path)
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise DataFileError(path, "file", f"it has no list '{key}'", "Compare with git.")
    return entries


def _refuse_doubles(path: Path, ids: list[str]) -> None:
    for name, count in Counter(ids).items():
        if count > 1:
            raise DataFileError(path, f"id '{name}'", f"it is there {count} times", "Rename or remove one.")


@functools.cache
def municipalities() -> dict[str, Municipality]:
    """Return the 98 municipalities by slug."""
    return {entry.slug: entry for entry in read_municipalities(paths.REFERENCE / "municipalities.csv")}


@functools.cache
def focus_areas() -> dict[str, FocusArea]:
    """Return the 11 focus areas by id, in the report's order."""
    return {area.id: area for area in read_focus_areas(paths.REFERENCE / "focus_areas.yml")}


@functools.cache
def theme_to_area() -> dict[str, str]:
    """Return the focus area of each theme id."""
    return {theme.id: area.id for area in focus_areas().values() for theme in area.themes}


@functools.cache
def actor_taxonomy() -> ActorTaxonomy:
    """Return the taxonomy of actors."""
    return read_actor_taxonomy(paths.REFERENCE / "actor_taxonomy.yml")


@functools.cache
def organisation_forms() -> tuple[OrganisationForm, ...]:
    """Return the eight forms of organisation."""
    return read_organisation_forms(paths.REFERENCE / "organisation_forms.yml")
