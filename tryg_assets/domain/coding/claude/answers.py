"""From an answer as it came to a coding: nothing counts that is not in the closed sets and on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tryg_assets.domain.coding.attributes import amounts
from tryg_assets.domain.coding.claude.tasks import NO_CRITERION, NOT_STATED, Task
from tryg_assets.domain.coding.codebook import codebook
from tryg_assets.domain.coding.interface import (
    ActorMention,
    NamedInitiative,
    Page,
    PageCoding,
    Placement,
    Problem,
    fold,
    stands_in,
)
from tryg_assets.domain.coding.naming import clean_title
from tryg_assets.domain.reference import UNRESOLVED, theme_to_area

_MOST_EVIDENCE = 3
_SURE = 4  # of 5
_FENCED = re.compile(r"```\w*\s(.*?)```", re.DOTALL)
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL | re.IGNORECASE)
_SAID: Mapping[Problem, str] = {
    "refused": "Sprogmodellen afviste at svare",
    "cut_off": "Svaret blev skåret af, før det var færdigt",
    "invalid": "Svaret havde ikke den form, der var bedt om",
    "rejected": "Serveren afviste spørgsmålet",
}
_CUT_OFF = ("max_tokens", "model_context_window_exceeded")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer after reading: its content, or why it cannot be used."""

    content: Mapping[str, Any]
    problem: Problem | None = None

    @property
    def worth_asking_again(self) -> bool:
        """Whether the same question may well be answered better: not after a refusal."""
        return self.problem in ("cut_off", "invalid")


def read_reply(raw: Mapping[str, Any], task: Task) -> Reply:
    """Read an answer of the Messages API (any server's, so nothing is taken for granted)."""
    stopped = raw.get("stop_reason")
    if stopped == "refusal":
        return Reply({}, "refused")
    if stopped in _CUT_OFF:
        return Reply({}, "cut_off")
    blocks = raw.get("content")
    texts = [
        block["text"]
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    ]  # thinking may come first
    content = _json_of("".join(texts))
    return Reply(_plain(content)) if task.validator.is_valid(content) else Reply({}, "invalid")


def _plain(value: Any) -> Any:
    """Return a valid answer as tables take it: 2.0, a whole number in JSON, as 2, and no half of a character pair."""
    if isinstance(value, float):
        return int(value)
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _json_of(text: str) -> Any:
    """Return the JSON value of an answer, ``None`` if there is none.

    Servers without structured output think aloud first, say a word before or after, or put the JSON in a fence: what counts
    is the last fenced block, else what stands between the first and the last brace.
    """
    said = _THOUGHT.sub("", text).strip()
    fenced = _FENCED.findall(said)
    braced = said[said.find("{") : said.rfind("}") + 1]
    for candidate in (said, *fenced[-1:], braced):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    return None


def decided(page: Page, reply: Reply, *, cut: bool) -> PageCoding:
    """Return the decision that an answer to "decide" gives; without a usable answer, or a criterion, a yes is a doubt."""
    if reply.problem:
        return undecided(reply.problem, cut=cut)
    content = reply.content
    decision, confidence = content["decision"], content["confidence"]
    evidence = _evidence(page, content["sentences"])
    said = {"yes": "en indsats", "no": "ikke en indsats", "doubt": "tvivl, regnes ikke for en indsats"}
    rationale = f"Sprogmodellens svar: {said[decision]} (sikkerhed {confidence} af 5)."
    criterion = content["criterion"] if decision == "yes" else None
    if criterion == NO_CRITERION:
        decision, criterion = "doubt", None
        rationale += " Den pegede ikke på noget kriterium, så svaret er tvivl."
    return PageCoding(
        is_initiative=decision,
        criterion=criterion,
        confidence=confidence / 5,
        confident=confidence >= _SURE and decision != "doubt",
        evidence_ids=evidence,
        quote=content["quote"].strip() or None,
        rationale=rationale,
        cut=cut,
    )


def undecided(problem: Problem, *, cut: bool) -> PageCoding:
    """Return the coding of a page whose question got no usable answer."""
    rationale = f"{_SAID[problem]}, så svaret er tvivl og regnes ikke for en indsats."
    return PageCoding("doubt", None, 0.0, False, (), None, rationale, problem=problem, cut=cut)


def described(page: Page, coding: PageCoding, reply: Reply) -> PageCoding:
    """Return a yes with the initiatives that an answer to "describe" names; without a usable one it is a doubt."""
    if reply.problem is None and not reply.content["initiatives"]:
        reply = Reply({}, "invalid")
    if reply.problem:
        return undecided(reply.problem, cut=coding.cut)
    named = tuple(_initiative(page, coding, entry) for entry in reply.content["initiatives"])
    return replace(
        coding,
        focus_areas=_united(entry.focus_areas for entry in named),
        themes=_united(entry.themes for entry in named),
        initiatives=named,
    )


def _initiative(page: Page, coding: PageCoding, said: Mapping[str, Any]) -> NamedInitiative:
    """Return one initiative; what is said to be copied from the page and is not there is left out.

    Without a quote of its own it has that of the decision, which was found on the page.
    """
    evidence, quote = _evidence(page, said["sentences"]), said["quote"].strip()
    if not page.says(quote, evidence):
        evidence, quote = coding.evidence_ids, coding.quote or ""
    whole = page.whole
    areas = tuple(area for area, given in said["areas"].items() if given)
    return NamedInitiative(
        name=_copied(said["name"], whole) or clean_title(page.title, page.municipality),
        kind=said["kind"],
        focus_areas=areas,
        themes=tuple(dict.fromkeys(theme for theme in said["themes"] if theme_to_area()[theme] in areas)),
        sentence_ids=evidence,
        quote=quote,
        target_group=None if said["target_group"] == NOT_STATED else said["target_group"],
        place=_copied(said["place"], whole),
        department=_copied(said["department"], whole),
        economy_dkk=_stated_amount(page, said["economy_dkk"]),
        users_per_year=_stated_count(whole, said["users_per_year"]),
        organisation_form=None if said["organisation_form"] == NOT_STATED else said["organisation_form"],
    )


def _copied(text: str, whole: str) -> str | None:
    """Return ``text`` if it stands on the page in whole words; one letter alone says nothing."""
    return text.strip() if len(text.strip()) > 1 and stands_in(fold(text), whole) else None


def _stated_amount(page: Page, kroner: int) -> float | None:
    rules = codebook().attributes
    there = any(kroner in amounts(sentence.text, rules) for sentence in page.sentences)
    return float(kroner) if kroner > 0 and there else None


def _stated_count(whole: str, count: int) -> int | None:
    """Return ``count`` if it stands on the page as a number of its own, not as a part of another."""
    grouped = f"{count:,}".replace(",", "[. ]?")
    written = re.search(rf"(?<![\d.,/-])(?<!\d ){grouped}(?![.,/-]?\d| \d{{3}}(?!\d))", whole)
    return count if count > 0 and written else None


def _evidence(page: Page, numbers: Iterable[int]) -> tuple[int, ...]:
    there = dict.fromkeys(number for number in numbers if 1 <= number <= len(page.sentences))
    return tuple(there)[:_MOST_EVIDENCE]


def _united(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for values in lists for value in values))


@dataclass(frozen=True, slots=True)
class NamedActor:
    """An actor as named in one sentence, not yet placed."""

    surface: str
    name: str
    scope: Any
    role: Any
    sentence_id: int


def named_actors(page: Page, reply: Reply) -> list[NamedActor]:
    """Return the actors of an answer that stand in the sentence they are said to stand in, once for each sentence.

    A name that stands nowhere on the page is not the actor's: it is then called as the sentence calls it.
    """
    whole = page.whole
    found: dict[tuple[int, str], NamedActor] = {}
    for said in reply.content.get("actors", ()):
        surface, name, number = said["surface"].strip(), said["name"].strip(), said["sentence"]
        if len(surface) > 1 and page.names(surface, number):
            name = _copied(name, whole) or surface
            actor = NamedActor(surface, name, said["scope"], said["role"], number)
            found.setdefault((number, fold(surface)), actor)
    return sorted(found.values(), key=lambda actor: (actor.sentence_id, actor.surface))


def placed(reply: Reply) -> dict[int, str]:
    """Return the category of each actor by its number; those the model could not place are left out."""
    said = reply.content.get("placements", ())
    return {entry["actor"]: entry["category"] for entry in said if entry["category"] != UNRESOLVED}


def mention(actor: NamedActor, master: str | None, subcategory: str | None) -> ActorMention:
    """Return a mention with its place in the taxonomy; half a place is none."""
    whole = master is not None and subcategory is not None
    place = (master, subcategory) if whole else (UNRESOLVED, UNRESOLVED)
    decided_by = "model" if whole else "unresolved"
    placement = Placement(actor.name, actor.scope, place[0] or "", place[1] or "", decided_by)
    return ActorMention(actor.surface, actor.sentence_id, actor.role, placement)
