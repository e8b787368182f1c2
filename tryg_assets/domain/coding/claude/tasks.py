"""What the model is asked: tasks from ``data/codebook/prompts.yml``, filled in from the codebook, each with the form of its answer."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any

from jsonschema import Draft202012Validator

from tryg_assets import paths
from tryg_assets.domain.coding.codebook import Codebook, codebook
from tryg_assets.domain.reference import (
    CRITERIA,
    UNRESOLVED,
    actor_taxonomy,
    focus_areas,
    organisation_forms,
    read_yaml,
    theme_to_area,
)
from tryg_assets.errors import DataFileError
from tryg_assets.ids import content_hash

PROMPTS = paths.CODEBOOK / "prompts.yml"
NOT_STATED = "ikke_angivet"
NO_CRITERION = "ingen"
_TASKS = ("decide", "describe", "actors", "master", "subcategory")
_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_NUMBERS = {"type": "array", "items": _WHOLE}
_ROLES = ("ansvarlig", "udførende", "deltager", "målgruppe")


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of question: the texts that come before the page, and the JSON schema of the answer.

    The three hashes are parts of the key of every answer, so that a changed text asks again what it touches and nothing else.
    """

    name: str
    codebook: str
    question: str
    max_tokens: int
    schema: Mapping[str, Any]
    codebook_sha: str = field(init=False)
    prompt_sha: str = field(init=False)
    schema_text: str = field(init=False)
    schema_sha: str = field(init=False)
    validator: Draft202012Validator = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "codebook_sha", content_hash(self.codebook))
        object.__setattr__(self, "prompt_sha", content_hash(self.question))
        object.__setattr__(self, "schema_text", json.dumps(self.schema, sort_keys=True))
        object.__setattr__(self, "schema_sha", content_hash(self.schema_text))
        object.__setattr__(self, "validator", Draft202012Validator(self.schema))


@dataclass(frozen=True, slots=True)
class Tasks:
    """All tasks; ``subcategories`` has one task per master category, as each has its own closed list."""

    decide: Task
    describe: Task
    actors: Task
    master: Task
    subcategories: Mapping[str, Task]
    page_characters: int

    def all(self) -> tuple[Task, ...]:
        """Return every task."""
        return (self.decide, self.describe, self.actors, self.master, *self.subcategories.values())

    @property
    def hash(self) -> str:
        """One hash over every text and schema, and over how a page is cut."""
        parts = [task.codebook_sha + task.prompt_sha + task.schema_sha for task in self.all()]
        return content_hash("\n".join([str(self.page_characters), *parts]))


@functools.cache
def tasks() -> Tasks:
    """Read and fill in the tasks of ``data/codebook/prompts.yml``.

    Raises:
        DataFileError: a task or field is missing, or a $word is unknown; the message names the task.
    """
    return build_tasks(read_yaml(PROMPTS), codebook())


def build_tasks(raw: Any, book: Codebook) -> Tasks:
    """Make the tasks of the content of a prompt file; see :func:`tasks`."""
    taxonomy, words = actor_taxonomy(), _words(book)
    schemas = {
        "decide": _decide_schema(),
        "describe": _describe_schema(book),
        "actors": _actors_schema(),
        "master": _placement_schema(taxonomy.masters),
    }
    try:
        limit = int(raw["page_characters"])
        texts = {name: raw["tasks"][name] for name in _TASKS}
        plain = {name: _task(name, texts[name], words, schema) for name, schema in schemas.items()}
        below = {
            master: _task(
                "subcategory", texts["subcategory"], words | _words_below(master), _subcategory_schema(master)
            )
            for master in taxonomy.masters
        }
    except (KeyError, TypeError, ValueError) as problem:
        raise DataFileError(
            PROMPTS, "file", f"entry {problem} is missing or malformed", "Compare with git."
        ) from problem
    return Tasks(**plain, subcategories=below, page_characters=limit)


def _task(name: str, raw: Mapping[str, Any], words: Mapping[str, str], schema: Mapping[str, Any]) -> Task:
    try:
        filled = {key: Template(raw[key]).substitute(words).strip() for key in ("codebook", "question")}
    except (KeyError, ValueError) as problem:
        remedy = f"Use {', '.join(f'${word}' for word in sorted(words))}; write a dollar sign as $$."
        raise DataFileError(
            PROMPTS, f"task {name}", f"field or word {problem} is missing or unknown", remedy
        ) from None
    return Task(name=name, **filled, max_tokens=int(raw["max_tokens"]), schema=schema)


def _words(book: Codebook) -> dict[str, str]:
    areas = focus_areas().values()
    return {
        "definition": book.definition,
        "in_doubt": book.in_doubt,
        "criteria": _lines((entry.id, entry.description) for entry in book.criteria),
        "areas": _lines((area.name, area.description) for area in areas),
        "themes": "\n\n".join(
            f"### {area.id}: {area.name}\n{area.description}\n"
            + _lines((theme.id, f"{theme.name}. {theme.description}") for theme in area.themes)
            for area in areas
        ),
        "forms": _lines((form.id, f"{form.name}. {form.description}") for form in organisation_forms()),
        "target_groups": ", ".join(_target_groups(book)),
        "masters": "\n\n".join(
            f"## {master}: {name}\n{', '.join(sub.name for sub in actor_taxonomy().subcategories.values() if sub.master == master)}"
            for master, name in actor_taxonomy().masters.items()
        ),
    }


def _words_below(master: str) -> dict[str, str]:
    below = (sub for sub in actor_taxonomy().subcategories.values() if sub.master == master)
    told = ((s.id, f"{s.name}. {s.definition} F.eks. {', '.join(s.typical_names)}.") for s in below)
    return {"master": actor_taxonomy().masters[master], "subcategories": _lines(told)}


def _lines(entries: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {text}" for name, text in entries)


def _target_groups(book: Codebook) -> list[str]:
    labels = book.attributes.target_groups.labels.values()
    return list(dict.fromkeys(label for found in labels for label, _ in found))


# Every field is required, no field has two types, and no object has free keys: what the grammar of structured output can hold.


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _one_of(values: Iterable[str | int]) -> dict[str, Any]:
    known = list(values)
    return {"type": "integer" if isinstance(known[0], int) else "string", "enum": known}


def _list_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": entry}


def _decide_schema() -> dict[str, Any]:
    return _object(
        sentences=_NUMBERS,
        quote=_TEXT,
        criterion=_one_of([*CRITERIA, NO_CRITERION]),
        decision=_one_of(["yes", "no", "doubt"]),
        confidence=_one_of([1, 2, 3, 4, 5]),
    )


def _describe_schema(book: Codebook) -> dict[str, Any]:
    initiative = _object(
        name=_TEXT,
        kind=_one_of(CRITERIA),
        sentences=_NUMBERS,
        quote=_TEXT,
        areas=_object(**{area: {"type": "boolean"} for area in focus_areas()}),
        themes=_list_of(_one_of(theme_to_area())),
        target_group=_one_of([*_target_groups(book), NOT_STATED]),
        place=_TEXT,
        department=_TEXT,
        economy_dkk=_WHOLE,
        users_per_year=_WHOLE,
        organisation_form=_one_of([*(form.id for form in organisation_forms()), NOT_STATED]),
    )
    return _object(initiatives=_list_of(initiative))


def _actors_schema() -> dict[str, Any]:
    actor = _object(
        surface=_TEXT, name=_TEXT, scope=_one_of(["national", "local"]), role=_one_of(_ROLES), sentence=_WHOLE
    )
    return _object(actors=_list_of(actor))


def _placement_schema(categories: Iterable[str]) -> dict[str, Any]:
    return _object(placements=_list_of(_object(actor=_WHOLE, category=_one_of([*categories, UNRESOLVED]))))


def _subcategory_schema(master: str) -> dict[str, Any]:
    return _placement_schema(
        sub.id for sub in actor_taxonomy().subcategories.values() if sub.master == master
    )
