"""What is sent and what a key is made of; reading answers of any server."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.coding.claude import tasks as tasks_module
from tryg_assets.domain.coding.claude.answers import read_reply
from tryg_assets.domain.coding.claude.limits import Limits
from tryg_assets.domain.coding.claude.questions import Model, actor_contents, ask, page_content
from tryg_assets.domain.coding.claude.server import Server
from tryg_assets.domain.coding.claude.tasks import PROMPTS, build_tasks, tasks
from tryg_assets.domain.coding.codebook import codebook
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.reference import actor_taxonomy
from tryg_assets.errors import ConfigurationError, DataFileError

MODEL = Model("claude-haiku-5-5", {"thinking": {"type": "disabled"}})
WORDS = st.lists(st.sampled_from(["tryg", "utryg", "vej", "affald", "bil", "\n", ". Og"]), max_size=300).map(
    " ".join
)


def page(text: str) -> Page:
    return Page.of("p", "aarhus", "https://aarhus.dk/p", "Titel", text)


@given(WORDS, st.integers(20, 2000))
def test_a_cut_page_keeps_order_and_numbers_and_never_passes_the_limit(text: str, most: int) -> None:
    given_page = page(text)
    content, cut = page_content(given_page, most)
    shown = [line for line in content.split("\n")[2:-1] if line != "..."]
    numbers = [int(line.partition(":")[0][1:]) for line in shown]
    assert numbers == sorted(set(numbers))
    whole = [
        line.endswith(f": {given_page.sentence(number)}") for number, line in zip(numbers, shown, strict=True)
    ]
    assert cut == (len(numbers) < len(given_page.sentences) or not all(whole))
    assert sum(map(len, shown)) <= most
    for number, line in zip(numbers, shown, strict=True):
        assert line.partition(": ")[2].strip(".") in given_page.sentence(number)


def test_of_an_endless_sentence_the_part_around_the_word_stem_is_sent_and_the_others_too() -> None:
    endless = "ord og " * 5000 + "tryghed " + "mere og " * 5000
    content, cut = page_content(page(f"Før den.\n{endless}\nDerefter kommer en plan for trygheden."), 24_000)
    assert cut
    assert "S2: ... og ord" in content
    assert "tryghed mere og" in content
    assert "S1: Før den." in content
    assert "S3: Derefter kommer en plan for trygheden." in content
    assert 6_000 < len(content) < 7_000


def test_an_endless_title_is_cut_too() -> None:
    endless = Page.of("p", "aarhus", "https://aarhus.dk/p", "Tryg " * 20_000, "Kort.")
    assert len(page_content(endless, 24_000)[0]) < 7_000


def test_each_sentence_that_names_actors_is_sent_once() -> None:
    actors = [
        (1, "SSP", "SSP og politiet."),
        (2, "Politiet", "SSP og politiet."),
        (3, "Ældrerådet", "Rådet."),
    ]
    (content,) = actor_contents(actors, 1000)
    assert content.split("\n")[1:-1] == [
        "S1: SSP og politiet.",
        "S2: Rådet.",
        "A1: SSP | S1",
        "A2: Politiet | S1",
        "A3: Ældrerådet | S2",
    ]


def test_fifty_actors_of_one_long_sentence_take_little_more_than_the_sentence() -> None:
    actors = [(number, f"Aktør {number}", "x" * 6200) for number in range(50)]
    assert sum(map(len, actor_contents(actors, 24_000))) < 8_000


@given(
    st.lists(st.tuples(st.text("ab", max_size=9), st.text("xy", max_size=99)), max_size=60),
    st.integers(50, 500),
)
def test_a_long_list_of_actors_is_sent_in_parts_each_actor_once(
    found: list[tuple[str, str]], most: int
) -> None:
    actors = [(number, name, text) for number, (name, text) in enumerate(found)]
    contents = actor_contents(actors, most)
    lines = [line for content in contents for line in content.split("\n") if line.startswith("A")]
    assert [
        (int(line.partition(":")[0][1:]), line.partition(": ")[2].partition(" | ")[0]) for line in lines
    ] == [(number, name) for number, name, _ in actors]
    assert all(len("\n".join(content.split("\n")[1:-1])) <= most for content in contents)


def test_sentences_with_the_word_stem_are_kept_first_and_then_their_neighbours() -> None:
    text = "\n".join("Her bor vi trygt." if number == 50 else f"Linje {number}." for number in range(100))
    content, cut = page_content(page(text), 80)
    assert cut
    assert [line.partition(":")[0] for line in content.split("\n")[3:-2]] == [
        "S49",
        "S50",
        "S51",
        "S52",
        "S53",
    ]


def test_a_key_depends_on_everything_that_decides_the_answer_and_on_nothing_else() -> None:
    task = tasks().decide
    key = ask(task, "side", "aarhus", MODEL).key
    assert len(key) == 32
    assert ask(task, "side", "odense", MODEL).key == key, "who asks first does not matter"
    others = [
        ask(task, "en anden side", "aarhus", MODEL),
        ask(tasks().describe, "side", "aarhus", MODEL),
        ask(dataclasses.replace(task, codebook="andet"), "side", "aarhus", MODEL),
        ask(dataclasses.replace(task, question="andet"), "side", "aarhus", MODEL),
        ask(dataclasses.replace(task, schema={"type": "object"}), "side", "aarhus", MODEL),
        ask(dataclasses.replace(task, max_tokens=7), "side", "aarhus", MODEL),
        ask(task, "side", "aarhus", Model("claude-sonnet-5-5", MODEL.parameters)),
        ask(task, "side", "aarhus", Model(MODEL.name, {})),
        ask(task, "side", "aarhus", Model(MODEL.name, MODEL.parameters, "localhost")),
    ]
    assert len({other.key for other in others} | {key}) == len(others) + 1


def test_effort_is_sent_beside_the_form_of_the_answer() -> None:
    body = ask(
        tasks().decide, "side", "aarhus", Model("claude-opus-5-5", {"output_config": {"effort": "low"}})
    ).body("5m")
    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"]["type"] == "json_schema"


def test_each_master_category_has_its_own_closed_list() -> None:
    lists = [
        set(task.schema["properties"]["placements"]["items"]["properties"]["category"]["enum"])
        for task in tasks().subcategories.values()
    ]
    assert len(lists) == 7
    assert sum(len(one) - 1 for one in lists) == len(set().union(*lists)) - 1 == 110
    assert max(map(len, lists)) < 100, "a form with a hundred values and more is refused by the server"
    assert set(tasks().subcategories) == set(actor_taxonomy().masters)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda raw: raw["tasks"].pop("describe"), "describe"),
        (lambda raw: raw["tasks"]["decide"].pop("question"), "decide.*question"),
        (lambda raw: raw["tasks"]["decide"].update(codebook="$definitionn"), r"definitionn.*\$definition"),
        (lambda raw: raw["tasks"]["decide"].update(codebook="5 $"), "task decide"),
        (lambda raw: raw.update(page_characters="mange"), "mange"),
    ],
)
def test_a_damaged_prompt_file_is_named_with_its_task(change: Any, complaint: str) -> None:
    raw = yaml.safe_load(PROMPTS.read_text(encoding="utf-8"))
    change(raw)
    with pytest.raises(DataFileError, match=complaint):
        build_tasks(raw, codebook())


def test_every_word_to_be_filled_in_was() -> None:
    for task in tasks().all():
        assert "$" not in task.codebook + task.question
    assert tasks_module.tasks() is tasks()


def test_a_wrong_limit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "claude.yml"
    path.write_text("concurrency: 0\n")
    with pytest.raises(DataFileError, match="concurrency"):
        Limits.load(path)


SAID = {"sentences": [1], "quote": "q", "criterion": "projekt", "decision": "yes", "confidence": 4}


def raw_answer(text: str, **changed: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"} | changed


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (raw_answer(json.dumps(SAID)), None),
        (raw_answer(f"```json\n{json.dumps(SAID)}\n```"), None),
        (raw_answer(f"```JSON\n{json.dumps(SAID)}\n```"), None),
        (raw_answer(f"```\n{json.dumps(SAID)}```"), None),
        (
            raw_answer(f"Her er svaret:\n```json\n{json.dumps(SAID)}\n```\nSig til, hvis {{mere}} ønskes."),
            None,
        ),
        (raw_answer(f"```json\n{{}}\n```\nNej, rettelse:\n```json\n{json.dumps(SAID)}\n```"), None),
        (raw_answer(f"Svar: {json.dumps(SAID)} Det var det."), None),
        (raw_answer(f"<think>Måske {{}}? ```json\n{{}}\n```</think>\n{json.dumps(SAID)}"), None),
        (raw_answer(f"{json.dumps(SAID)} {json.dumps(SAID)}"), "invalid"),
        (raw_answer(f"Svar: {json.dumps({**SAID, 'extra': 1})}"), "invalid"),
        (raw_answer("[" * 100_000), "invalid"),
        (raw_answer('{"a":' * 100_000), "invalid"),
        (
            {"content": [{"type": "thinking", "thinking": "?"}, *raw_answer(json.dumps(SAID))["content"]]},
            None,
        ),
        (raw_answer(json.dumps(SAID | {"decision": "maybe"})), "invalid"),
        (raw_answer(json.dumps(SAID | {"confidence": True})), "invalid"),
        (raw_answer(json.dumps({**SAID, "extra": 1})), "invalid"),
        (raw_answer(json.dumps([SAID])), "invalid"),
        (raw_answer(""), "invalid"),
        (raw_answer("", content=None), "invalid"),
        (raw_answer("", content=["text", None, {"type": "text", "text": None}]), "invalid"),
        ({}, "invalid"),
        (raw_answer("", stop_reason="refusal"), "refused"),
        (raw_answer(json.dumps(SAID), stop_reason="max_tokens"), "cut_off"),
        (raw_answer("", stop_reason="model_context_window_exceeded"), "cut_off"),
    ],
)
def test_any_answer_is_read_or_has_a_reason_why_not(raw: dict[str, Any], problem: str | None) -> None:
    reply = read_reply(raw, tasks().decide)
    assert reply.problem == problem
    assert reply.content == ({} if problem else SAID)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda some: st.lists(some) | st.dictionaries(st.sampled_from(["type", "text", "content", "stop_reason"]), some)))  # fmt: skip
def test_no_answer_whatever_makes_the_reader_fail(value: Any) -> None:
    raw = value if isinstance(value, dict) else {"content": value}
    assert read_reply(raw, tasks().decide).problem is not None


@pytest.mark.parametrize("address", ["localhost:11434", "ftp://x", "http://", "nonsense"])
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(ConfigurationError, match="ANTHROPIC_BASE_URL"):
        Server.of(address, None)


def test_the_key_is_never_shown() -> None:
    assert "secret" not in repr(Server.of(None, "secret"))
