"""The codebook of actors (``data/codebook/actors.yml``), read once and indexed by its words."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tryg_assets import paths
from tryg_assets.domain.reference import actor_taxonomy, read_yaml
from tryg_assets.errors import DataFileError

PATH = paths.CODEBOOK / "actors.yml"
Role = Literal["ansvarlig", "udførende", "deltager", "målgruppe"]
ROLES: tuple[Role, ...] = ("deltager", "ansvarlig", "udførende", "målgruppe")
Kind = Literal["placed", "group", "unit", "municipality", "unresolved", "noise"]

# "SFO'en" is one word, and so is "Børne- og Ungeforvaltningen": a hyphen that hangs joins what the short word after it joins.
_TOKEN = re.compile(r"(?:\w+-(?:, \w+-)* (?:\w{2,5}|&) )?\w+(?:[-'’]\w+)*|[^\w\s]")


class Token(NamedTuple):
    """A word or a mark of a sentence; ``folded`` is for comparing."""

    text: str
    folded: str
    start: int
    end: int


class Element(NamedTuple):
    """One word of a pattern. ``kind`` is word, glob, or what the slots N, N+ and F stand for."""

    kind: Literal["word", "glob", "name", "names", "field"]
    folded: str
    exact: str | None
    glob: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A name or pattern of the codebook. ``canonical`` is ``None`` when the matched text is the name."""

    elements: tuple[Element, ...]
    kind: Kind
    subcategory: str | None
    canonical: str | None
    scope: Literal["national", "local"]
    how: Literal["gazetteer", "pattern", "unresolved"]
    letters: int


@dataclass(frozen=True, slots=True)
class RoleCues:
    """The cues of one role: what ends right before an actor, and what follows it (or precedes it, inverted)."""

    role: Role
    before: re.Pattern[str]
    after: re.Pattern[str]
    inverted: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The codebook, compiled."""

    words: dict[str, tuple[tuple[Rule, int], ...]]
    globs: dict[str, tuple[tuple[Rule, int], ...]]
    field_rules: tuple[Rule, ...]
    fields: tuple[tuple[str, re.Pattern[str]], ...]
    unit_otherwise: str
    own_municipality: str
    other_municipality: str
    default_roles: dict[str, Role]
    cues: tuple[RoleCues, ...]
    opening: re.Pattern[str]
    unresolved_cue: re.Pattern[str]
    with_name: re.Pattern[str]
    list_joiners: frozenset[str]
    joiners: frozenset[str]
    no_names: frozenset[str]
    given_names: frozenset[str]
    titles: frozenset[str]
    surname_endings: tuple[str, ...]


def tokens(text: str) -> list[Token]:
    """Return the words and marks of ``text``."""
    return [
        Token(match.group(), match.group().replace("’", "'").casefold(), match.start(), match.end())
        for match in _TOKEN.finditer(text)
    ]


def without_genitive(word: str) -> str | None:
    """Return ``word`` without a genitive ending, or ``None`` if it has none."""
    if word.endswith(("'s", "’s")):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") else None


def _glob(words: Iterable[str]) -> str:
    """Return a regular expression for phrases in which * stands for letters."""
    return "|".join(re.escape(word).replace(r"\*", r"\w*") for word in sorted(words, key=len, reverse=True))


def _expand(entry: str) -> Iterator[str]:
    """Write out the endings of an entry: 'bibliotek|et' is bibliotek and biblioteket."""
    stem, *endings = entry.split("|")
    yield stem
    for ending in endings:
        yield stem + ending


def _element(word: str) -> Element:
    if word in ("N", "N+", "F"):
        return Element({"N": "name", "N+": "names", "F": "field"}[word], "", None, None)  # type: ignore[arg-type]
    capital = word.startswith("^")
    bare = word.removeprefix("^")
    if "*" in bare:
        letters = re.escape(bare).replace(r"\*", ".*")
        if bare == bare.lower():
            letters = f"(?i:{letters})"
        return Element("glob", bare.casefold(), None, re.compile(r"(?=[A-ZÆØÅ])" * capital + letters))
    return Element("word", bare.casefold(), bare if bare != bare.lower() else None, None)


_SLOTS = re.compile(r"\^?[\w*'’+-]*\*[\w*'’-]*|\^\w+|\bN\+|\bN\b|\bF\b")


def _elements(pattern: str) -> tuple[Element, ...]:
    """Split a pattern as text is split, so that the two meet word by word."""
    found: list[Element] = []
    position = 0
    for match in _SLOTS.finditer(pattern):
        found.extend(_element(token.text) for token in tokens(pattern[position : match.start()]))
        found.append(_element(match.group()))
        position = match.end()
    found.extend(_element(token.text) for token in tokens(pattern[position:]))
    return tuple(found)


def _rules(
    entries: Iterable[str | list[str]],
    kind: Kind,
    subcategory: str | None,
    scope: Literal["national", "local"],
    *,
    named: bool,
) -> Iterator[Rule]:
    """Yield the rules of a list of entries; ``named`` says that the first form is the canonical name."""
    for entry in entries:
        forms = [
            form for alias in ([entry] if isinstance(entry, str) else entry) for form in _expand(str(alias))
        ]
        first = forms[0][:1].upper() + forms[0][1:]
        for form in forms:
            fixed = named and "*" not in form
            how: Literal["gazetteer", "pattern", "unresolved"] = "gazetteer" if fixed else "pattern"
            letters = sum(char.isalpha() for char in form)
            yield Rule(
                _elements(form),
                kind,
                subcategory,
                first if fixed else None,
                scope,
                "unresolved" if kind == "unresolved" else how,
                letters,
            )


def _all_rules(raw: dict[str, Any]) -> Iterator[Rule]:
    for sub, entry in raw["actors"].items():
        yield from _rules(entry.get("national", ()), "placed", sub, "national", named=True)
        yield from _rules(entry.get("national_names", ()), "placed", sub, "national", named=False)
        yield from _rules(entry.get("local", ()), "placed", sub, "local", named=True)
        yield from _rules(entry.get("names", ()), "placed", sub, "local", named=False)
        yield from _rules(entry.get("groups", ()), "group", sub, "local", named=True)
    own = raw["municipalities"]
    yield from _rules([own["words"]], "municipality", own["own"], "local", named=True)
    yield from _rules(own["names"], "municipality", own["own"], "local", named=False)
    yield from _rules(raw["units"]["shapes"], "unit", None, "local", named=False)
    yield from _rules(raw["unresolved"]["shapes"], "unresolved", None, "local", named=False)
    yield from _rules(raw["noise"], "noise", None, "local", named=False)


def _index(
    rules: Iterable[Rule],
) -> tuple[
    dict[str, tuple[tuple[Rule, int], ...]], dict[str, tuple[tuple[Rule, int], ...]], tuple[Rule, ...]
]:
    """Index each rule by its first spelled-out word, else by the tail of its first glob."""
    words: dict[str, list[tuple[Rule, int]]] = {}
    globs: dict[str, list[tuple[Rule, int]]] = {}
    rest: list[Rule] = []
    for rule in rules:
        kinds = [element.kind for element in rule.elements]
        if "word" in kinds and "field" not in kinds:
            anchor = kinds.index("word")
            words.setdefault(rule.elements[anchor].folded, []).append((rule, anchor))
        elif "glob" in kinds:
            anchor = kinds.index("glob")
            globs.setdefault(rule.elements[anchor].folded.rsplit("*", 1)[1], []).append((rule, anchor))
        else:
            rest.append(rule)
    return (
        {key: tuple(value) for key, value in words.items()},
        {key: tuple(value) for key, value in globs.items()},
        tuple(rest),
    )


@functools.cache
def lexicon() -> Lexicon:
    """Return the codebook of actors.

    Raises:
        DataFileError: a section is missing, or a subcategory or role is unknown.
    """
    raw = read_yaml(PATH)
    try:
        return _compile(raw)
    except (KeyError, TypeError, AttributeError) as problem:
        raise DataFileError(
            PATH, "file", f"section {problem} is missing or has another shape", "Compare with git."
        ) from problem


def _compile(raw: dict[str, Any]) -> Lexicon:
    known = actor_taxonomy().subcategories
    units, municipalities, persons = raw["units"], raw["municipalities"], raw["persons"]
    used = (
        *raw["actors"],
        *units["fields"],
        units["otherwise"],
        municipalities["own"],
        municipalities["other"],
    )
    for sub in used:
        if sub not in known:
            raise DataFileError(
                PATH,
                f"subcategory '{sub}'",
                "the taxonomy does not have it",
                "Use an id of actor_taxonomy.yml.",
            )
    for sub, entry in raw["actors"].items():
        if entry["role"] not in ROLES:
            raise DataFileError(
                PATH, f"subcategory '{sub}'", f"role '{entry['role']}' is unknown", f"Use {', '.join(ROLES)}."
            )
    rules = list(_all_rules(raw))
    listed = {tuple(element.folded for element in rule.elements) for rule in rules}
    typical = [
        rule
        for sub in known.values()
        for rule in _rules([[name] for name in sub.typical_names], "placed", sub.id, "local", named=True)
        if tuple(element.folded for element in rule.elements) not in listed
    ]
    words, globs, field_rules = _index([*rules, *typical])
    describing = rf"(?:(?:{_glob(raw['describing'])}|\d[\d.]*),?\s+){{0,3}}"
    return Lexicon(
        words=words,
        globs=globs,
        field_rules=field_rules,
        fields=tuple((sub, re.compile(f"(?:{_glob(stems)})")) for sub, stems in units["fields"].items()),
        unit_otherwise=units["otherwise"],
        own_municipality=municipalities["own"],
        other_municipality=municipalities["other"],
        default_roles={sub: entry["role"] for sub, entry in raw["actors"].items()},
        cues=tuple(
            RoleCues(
                role,
                re.compile(rf"\b({_glob(raw['roles'][role]['before'])})\s+{describing}$"),
                re.compile(rf"\b(?:{_glob(raw['roles'][role]['after'])})\b"),
                re.compile(rf"\b(?:{_glob(raw['roles'][role]['after'])})\s+{describing}$"),
            )
            for role in ROLES
        ),
        opening=re.compile(describing),
        unresolved_cue=re.compile(rf"\b(?:{_glob(raw['unresolved']['cues'])})\s+{describing}$"),
        with_name=re.compile(_glob(raw["with_name"]), re.IGNORECASE),
        list_joiners=frozenset(raw["list_joiners"]),
        joiners=frozenset(raw["joiners"]),
        no_names=frozenset(raw["no_names"]),
        given_names=frozenset(persons["given_names"]),
        titles=frozenset(persons["titles"]),
        surname_endings=tuple(persons["surname_endings"]),
    )


@functools.lru_cache(maxsize=200_000)
def candidates(folded: str) -> tuple[tuple[Rule, int], ...]:
    """Return the rules (with the place of their anchor) that a word may be part of."""
    book = lexicon()
    found: list[tuple[Rule, int]] = []
    stripped = without_genitive(folded)
    for form in (folded,) if stripped is None else (folded, stripped):
        found.extend(book.words.get(form, ()))
        for start in range(len(form) + 1):
            for rule, anchor in book.globs.get(form[start:], ()):
                element = rule.elements[anchor]
                if element.glob is not None and re.fullmatch(
                    re.escape(element.folded).replace(r"\*", ".*"), form
                ):
                    found.append((rule, anchor))
    return tuple(dict.fromkeys(found))


@functools.lru_cache(maxsize=200_000)
def field_of(folded: str) -> str | None:
    """Return the subcategory of the field of work that a word names, if any."""
    for part in re.findall(r"\w+(?:-\w+)?", folded):
        for sub, stems in lexicon().fields:
            if stems.fullmatch(part):
                return sub
    return None
