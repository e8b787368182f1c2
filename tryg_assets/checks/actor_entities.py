"""Checks of stage 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, municipality_check, told_check
from tryg_assets.domain.coding.interface import Page, fold
from tryg_assets.domain.reference import UNRESOLVED, actor_taxonomy
from tryg_assets.storage import Lake


def actors_on_page(lake: Lake, slug: str) -> Verdict:
    """Judge whether every mention stands in its sentence, of a known initiative, and has an entity."""
    texts = {row["page_id"]: row for row in lake.read("raw_crawl", slug).iter_rows(named=True)}
    pages: dict[str, Page] = {}
    initiatives = set(lake.read("classified_initiatives", slug)["initiative_id"])
    entities = set(lake.read("actor_entities", slug)["entity_id"])
    mentions = lake.read("actor_mentions", slug)
    wrong = []
    for row in mentions.iter_rows(named=True):
        key = row["page_id"]
        if key in texts and key not in pages:
            pages[key] = Page.of(key, slug, texts[key]["url"], texts[key]["title"], texts[key]["text"])
        page = pages.get(key)
        there = (
            page is not None
            and row["sentence_id"] <= len(page.sentences)
            and fold(row["surface"]) in fold(page.sentence(row["sentence_id"]))
        )
        if not there or row["initiative_id"] not in initiatives or row["entity_id"] not in entities:
            wrong.append(
                {
                    name: row[name]
                    for name in ("surface", "page_id", "sentence_id", "initiative_id", "entity_id")
                }
            )
    return Verdict(not wrong, f"{mentions.height} mentions of {len(entities)} actors.", tuple(wrong))


def taxonomy_closed(lake: Lake, slug: str) -> Verdict:
    """Judge whether every actor is in one of the 110 subcategories of its master category, or left unresolved."""
    known = {(sub.master, sub.id) for sub in actor_taxonomy().subcategories.values()} | {
        (UNRESOLVED, UNRESOLVED)
    }
    entities = lake.read("actor_entities", slug)
    wrong = [
        {name: row[name] for name in ("canonical_name", "master_category", "subcategory")}
        for row in entities.iter_rows(named=True)
        if (row["master_category"], row["subcategory"]) not in known
    ]
    unresolved = entities.filter(pl.col("subcategory") == UNRESOLVED)
    return Verdict(
        not wrong,
        f"{entities.height - unresolved.height} actors placed, {unresolved.height} unresolved.",
        tuple(wrong),
    )


def actor_answers_usable(told: Mapping[str, Any]) -> Verdict:
    """Warn when more than one answer about actors could not be used: what it would have named or placed is missing."""
    unusable = told.get("actor_answers_unusable", 0)
    return Verdict(unusable <= 1, f"{unusable} answers about actors could not be used.", warn_only=True)


checks = [
    contract_check("actor_mentions"),
    contract_check("actor_entities"),
    municipality_check(
        "actor_mentions",
        "actors_on_page",
        "Every mention is found in its sentence and belongs to a known initiative and actor.",
        "Materialise the actors of this municipality again; if it stays red, the finder of actors has a bug.",
        actors_on_page,
    ),
    municipality_check(
        "actor_entities",
        "taxonomy_closed",
        "Every actor stands in the closed 7 x 110 taxonomy or is counted as unresolved.",
        "Correct the subcategory in data/codebook/actors.yml, or add it to data/reference/actor_taxonomy.yml.",
        taxonomy_closed,
    ),
    told_check(
        "actor_entities",
        "actor_answers_usable",
        "Nearly all answers of the engine about actors could be used (at most one could not): cut off, refused, invalid or rejected ones "
        "leave actors out or unresolved.",
        "Cut-off answers: raise max_tokens of the tasks actors, master and subcategory in data/codebook/prompts.yml. Invalid ones: another "
        "model, or a server that honours structured output. Rejected ones: run the municipality again.",
        actor_answers_usable,
    ),
]
