"""From a page to a question: sentences numbered, private details masked, long pages cut, and the key of the answer."""

from __future__ import annotations

import bisect
import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tryg_assets.domain.coding.claude.prices import Usage, most_tokens
from tryg_assets.domain.coding.claude.tasks import Task
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.ids import content_hash

_PARTS = 4  # of a cut page; no sentence gets more than one
_FRAME_TOKENS = 2000  # more than the frame of a request and of its schema can be


@dataclass(frozen=True, slots=True)
class Model:
    """The model asked, and what is sent to keep it from thinking aloud (``thinking_off`` of ``data/prices.yml``).

    ``server`` is the name of the server that has it, empty for Anthropic's own: two models of one name are not one model.
    """

    name: str
    parameters: Mapping[str, Any]
    server: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One request: a task and what it is about. Two questions with the same key have the same answer.

    ``cut`` is true if the page was too long to be sent whole.
    """

    key: str
    task: Task
    content: str
    municipality: str
    model: Model
    cut: bool

    @property
    def hashes(self) -> dict[str, str]:
        """What the key is made of, as columns of the table of decisions."""
        return {
            "page_sha": content_hash(self.content),
            "task": self.task.name,
            "codebook_sha": self.task.codebook_sha,
            "prompt_sha": self.task.prompt_sha,
            "schema_sha": self.task.schema_sha,
            "model": self.model.name,
            "params_sha": _parameters_sha(self.model, self.task),
        }

    def worst_case(self, ttl: str, attempt: int = 1) -> Usage:
        """Return the most tokens an attempt at the question can be charged for: nothing cached yet, and the longest answer."""
        prefix = most_tokens(self.task.codebook) + most_tokens(self.task.question)
        return Usage(
            input_tokens=most_tokens(self.content) + most_tokens(self.task.schema_text) + _FRAME_TOKENS,
            output_tokens=self.task.max_tokens * attempt,
            **{f"cache_write_{ttl}_tokens": prefix},
        )

    def body(self, ttl: str, attempt: int = 1) -> dict[str, Any]:
        """Return the request as the Messages API takes it; codebook and question are marked to be cached for ``ttl``.

        A second attempt has room for an answer twice as long: the first may have been cut off.
        """
        config = {"format": {"type": "json_schema", "schema": self.task.schema}}
        parameters = dict(self.model.parameters)
        return {
            "model": self.model.name,
            "max_tokens": self.task.max_tokens * attempt,
            "system": [
                {"type": "text", "text": self.task.codebook},
                {
                    "type": "text",
                    "text": self.task.question,
                    # The mark stands after both blocks, since both are the same in every call of a task.
                    "cache_control": {"type": "ephemeral", "ttl": ttl},
                },
            ],
            "messages": [{"role": "user", "content": self.content}],
            "output_config": {**parameters.pop("output_config", {}), **config},
            **parameters,
        }


def ask(task: Task, content: str, municipality: str, model: Model, *, cut: bool = False) -> Question:
    """Return the question of ``task`` about ``content``, with its key of 32 hex digits."""
    question = Question("", task, content, municipality, model, cut)
    key = content_hash(json.dumps(question.hashes, sort_keys=True))[:32]
    return Question(key, task, content, municipality, model, cut)


def _parameters_sha(model: Model, task: Task) -> str:
    server = [model.server] if model.server else []
    return content_hash(json.dumps([task.max_tokens, dict(model.parameters), *server], sort_keys=True))


def page_content(page: Page, most: int) -> tuple[str, bool]:
    """Return a masked page as it is sent, with numbered sentences, and whether it had to be cut.

    A page of more than ``most`` characters is cut: sentences with the word stem stay first, then those nearest to one, until
    the characters are used up. Of a sentence of more than a quarter of them, that much around its first word stem stays. Order
    and numbers stay; "..." stands where something is left out. Municipality and address are not sent, so that the same text on
    two websites is asked once.
    """
    lines = _numbered(page, most)
    if fits := sum(map(len, lines)) <= most:
        taken = set(range(len(lines)))
    else:
        lines = _numbered(page, most // _PARTS)
        taken = _nearest(page, [len(line) for line in lines], most)
    shown: list[str] = []
    for position, line in enumerate(lines):
        if position in taken:
            shown.append(line)
        elif not shown or shown[-1] != "...":
            shown.append("...")
    body = "\n".join([f"Titel: {_shortened(page.title, most // _PARTS)}", *shown])
    return _delimited("side", body), not fits


def actor_contents(actors: Iterable[tuple[int, str, str]], most: int) -> list[str]:
    """Return (number, name, masked sentence) of actors as they are sent: each sentence once, then the actors with its number.

    A list of more than ``most`` characters is sent in parts, a long sentence cut as in ``page_content``.
    """
    parts: list[list[tuple[int, str, str]]] = [[]]
    for number, name, text in actors:
        actor = (number, name, _shortened(text, most // _PARTS))
        if parts[-1] and len(_actor_list([*parts[-1], actor])) > most:
            parts.append([])
        parts[-1].append(actor)
    return [_delimited("aktører", _actor_list(part)) for part in parts if part]


def _actor_list(actors: Sequence[tuple[int, str, str]]) -> str:
    numbers = {text: number for number, text in enumerate(dict.fromkeys(text for *_, text in actors), 1)}
    lines = [f"S{number}: {text}" for text, number in numbers.items()]
    lines += [f"A{number}: {name} | S{numbers[text]}" for number, name, text in actors]
    return "\n".join(lines)


def _numbered(page: Page, most: int) -> list[str]:
    """Return the sentences with their numbers, of each ``most`` characters."""
    return [
        f"S{number}: {'# ' if sentence.heading else ''}{_shortened(sentence.text, most)}"
        for number, sentence in enumerate(page.sentences, 1)
    ]


def _shortened(text: str, most: int) -> str:
    """Return ``most`` characters of ``text`` around its first word stem, all of a text that is no longer."""
    if len(text) <= most:
        return text
    stem = _stem().search(text)
    start = max(0, min((stem.start() if stem else 0) - most // 2, len(text) - most))
    end = start + most
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


def _delimited(name: str, body: str) -> str:
    """Put ``body`` between marks that no page can contain: they are made of a hash of the body itself."""
    mark = f"{name}-{content_hash(body)[:12]}"
    return f"<{mark}>\n{body}\n</{mark}>"


def _nearest(page: Page, lengths: list[int], most: int) -> set[int]:
    """Return the positions of the sentences that are sent of a page that is too long."""
    stems = [position for position, sentence in enumerate(page.sentences) if _stem().search(sentence.text)]
    distance = _distances(stems or [0], len(lengths))
    taken: set[int] = set()
    for position in sorted(range(len(lengths)), key=lambda position: (distance[position], position)):
        most -= lengths[position]
        if most < 0:
            break
        taken.add(position)
    return taken


def _distances(marks: list[int], count: int) -> list[int]:
    """Return how far each of ``count`` positions is from the nearest of the sorted ``marks``."""
    found = []
    for position in range(count):
        after = bisect.bisect_left(marks, position)
        found.append(min(abs(mark - position) for mark in marks[max(0, after - 1) : after + 1]))
    return found


@functools.cache
def _stem() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, crawl_policy().stems)), re.IGNORECASE)
