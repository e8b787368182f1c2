"""From the initiatives of one municipality to rows of ``actor_mentions`` and ``actor_entities``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

from tryg_assets.domain.actors.persons import without_person
from tryg_assets.domain.coding.interface import ActorMention, Coder, Page, Placement, fold
from tryg_assets.ids import stable_id

Row = dict[str, Any]


def actor_rows(
    initiatives: Iterable[Row], pages: Mapping[str, Page], coder: Coder, municipality: str
) -> tuple[list[Row], list[Row]]:
    """Return rows of ``actor_mentions`` and of ``actor_entities`` for the initiatives of one municipality.

    Each page is read for the sentences of each initiative it describes; pages that are no longer kept are passed over. Persons
    are no actors, whatever the engine says.
    """
    initiatives = list(initiatives)
    on_page: dict[str, list[Row]] = defaultdict(list)
    for initiative in initiatives:
        for page_id in initiative["pages"]:
            on_page[page_id].append(initiative)
    found: list[tuple[str, str, ActorMention]] = []
    here_still = sorted(on_page.keys() & pages.keys())
    coder.prepare_actors([pages[page_id] for page_id in here_still])
    for page_id in here_still:
        page, here = pages[page_id], on_page[page_id]
        for initiative, sentence_ids in _sections(page, here):
            found.extend(
                (initiative["initiative_id"], page_id, mention)
                for mention in map(_impersonal, coder.actors(page, sentence_ids))
                if mention.surface and mention.placement.canonical_name
            )
    names = _nominatives({mention.placement.canonical_name for _, _, mention in found})
    mentions: dict[str, Row] = {}
    placements: dict[str, Counter[Placement]] = defaultdict(Counter)
    for initiative_id, page_id, mention in found:
        name = names[mention.placement.canonical_name]
        entity_id = stable_id(
            "national" if mention.placement.scope == "national" else municipality, fold(name)
        )
        mention_id = stable_id(initiative_id, page_id, str(mention.sentence_id), mention.surface)
        mentions[mention_id] = {
            "mention_id": mention_id,
            "municipality": municipality,
            "engine": coder.engine,
            "initiative_id": initiative_id,
            "page_id": page_id,
            "surface": mention.surface,
            "sentence_id": mention.sentence_id,
            "role": mention.role,
            "entity_id": entity_id,
        }
        placements[entity_id][mention.placement] += 1
    rows = sorted(mentions.values(), key=lambda row: (row["page_id"], row["sentence_id"], row["mention_id"]))
    return rows, _entities(rows, placements, names, coder.engine, municipality)


def _impersonal(mention: ActorMention) -> ActorMention:
    """Return ``mention`` without the name of a person, neither as it stands on the page nor as the actor's name."""
    name = without_person(mention.placement.canonical_name)
    return replace(
        mention,
        surface=without_person(mention.surface),
        placement=replace(mention.placement, canonical_name=name),
    )


def _entities(
    mentions: list[Row],
    placements: Mapping[str, Counter[Placement]],
    names: Mapping[str, str],
    engine: str,
    municipality: str,
) -> list[Row]:
    """Return one row per actor; where its mentions were placed differently, the most frequent placement holds."""
    counted: Counter[str] = Counter(row["entity_id"] for row in mentions)
    initiatives: dict[str, set[str]] = defaultdict(set)
    for row in mentions:
        initiatives[row["entity_id"]].add(row["initiative_id"])
    rows = []
    for entity_id in sorted(counted):
        placement = min(
            placements[entity_id],
            key=lambda place: (-placements[entity_id][place], place.canonical_name, place.subcategory),
        )
        rows.append(
            {
                "entity_id": entity_id,
                "municipality": municipality,
                "engine": engine,
                "canonical_name": names[placement.canonical_name],
                "scope": placement.scope,
                "master_category": placement.master_category,
                "subcategory": placement.subcategory,
                "how_decided": placement.how_decided,
                "mentions": counted[entity_id],
                "initiatives": len(initiatives[entity_id]),
            }
        )
    return rows


def _nominatives(names: set[str]) -> dict[str, str]:
    """Map each name to itself, or to the same name without a genitive -s where that is named too."""
    return {name: name[:-1] if name.endswith("s") and name[:-1] in names else name for name in names}


def _sections(page: Page, initiatives: list[Row]) -> Iterator[tuple[Row, tuple[int, ...]]]:
    """Yield each initiative of a page with the numbers of its sentences (none means all).

    On a page with several, a section runs from the heading that names the initiative to the next such heading. An initiative
    without a heading has its evidence sentences, if they are on this page, else those that name it, else all.
    """
    if len(initiatives) == 1:
        yield initiatives[0], ()
        return
    starts: dict[int, Row] = {}
    for initiative in initiatives:
        heading = _heading_of(page, initiative["name"])
        if heading is not None:
            starts.setdefault(heading, initiative)
    edges = [*sorted(starts), len(page.sentences) + 1]
    sections = {starts[start]["initiative_id"]: tuple(range(start, end)) for start, end in pairwise(edges)}
    for initiative in initiatives:
        yield initiative, sections.get(initiative["initiative_id"]) or _naming(page, initiative)


def _heading_of(page: Page, name: str) -> int | None:
    """Return the number of the first heading that names the initiative, one with its exact words first."""
    wanted = fold(name)
    headings = [
        (number, fold(sentence.text)) for number, sentence in enumerate(page.sentences, 1) if sentence.heading
    ]
    exact = (number for number, text in headings if text == wanted)
    within = (number for number, text in headings if wanted in text)
    return next(chain(exact, within), None)


def _naming(page: Page, initiative: Row) -> tuple[int, ...]:
    if initiative["evidence_page"] == page.page_id and initiative["evidence_ids"]:
        return tuple(number for number in initiative["evidence_ids"] if 1 <= number <= len(page.sentences))
    wanted = fold(initiative["name"])
    return tuple(number for number, sentence in enumerate(page.sentences, 1) if wanted in fold(sentence.text))
