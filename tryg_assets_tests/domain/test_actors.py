"""Who counts as an actor, in what role, and under which id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.actors.entities import actor_rows
from tryg_assets.domain.actors.find import find_actors
from tryg_assets.domain.actors.lexicon import PATH, lexicon
from tryg_assets.domain.coding.interface import ActorMention, Page, PageCoding, fold
from tryg_assets.domain.coding.sentences import Sentence
from tryg_assets.domain.reference import UNRESOLVED, actor_taxonomy, read_yaml
from tryg_assets.ids import stable_id


def page(text: str, municipality: str = "aarhus", page_id: str = "p1") -> Page:
    return Page.of(page_id, municipality, "https://x.test/", "Titel", text)


def named(text: str, municipality: str = "aarhus") -> dict[str, str]:
    """The actors of a text: surface to subcategory."""
    return {
        mention.surface: mention.placement.subcategory for mention in find_actors(page(text, municipality))
    }


def roles(text: str) -> dict[str, str]:
    return {mention.surface: mention.role for mention in find_actors(page(text))}


def test_every_subcategory_of_the_codebook_is_in_the_taxonomy_and_the_other_way_round() -> None:
    assert set(lexicon().default_roles) == set(actor_taxonomy().subcategories)


def test_no_name_stands_in_two_subcategories() -> None:
    places: dict[str, set[str]] = {}
    for sub, entry in read_yaml(PATH)["actors"].items():
        for part in ("national", "local", "groups"):
            for alias in (
                name
                for names in entry.get(part, ())
                for name in ([names] if isinstance(names, str) else names)
            ):
                places.setdefault(alias.split("|")[0], set()).add(sub)
    assert {name: subs for name, subs in places.items() if len(subs) > 1} == {}


def test_the_codebook_has_at_least_250_names() -> None:
    entries = [
        entry
        for sub in read_yaml(PATH)["actors"].values()
        for part in ("national", "local")
        for entry in sub.get(part, ())
    ]
    assert len(entries) >= 250


@pytest.mark.parametrize("sub", actor_taxonomy().subcategories.values(), ids=lambda sub: sub.id)
def test_the_typical_names_of_the_taxonomy_are_placed_where_it_says(sub: Any) -> None:
    for name in sub.typical_names:
        sentence = Sentence(f"Indsatsen sker i samarbejde med {name}.", False, False, 0)
        found = find_actors(Page("p", "aarhus", "u", "t", (sentence,)))
        assert [(m.placement.master_category, m.placement.subcategory) for m in found] == [
            (sub.master, sub.id)
        ], name


@pytest.mark.parametrize(
    ("text", "surface", "sub"),
    [
        ("Byrådet vedtog planen.", "Byrådet", "borgmester_byraad_udvalg"),
        (
            "Social- og Sundhedsudvalget vedtog planen.",
            "Social- og Sundhedsudvalget",
            "borgmester_byraad_udvalg",
        ),
        ("Det ledes af Center for Børn og Familie.", "Center for Børn og Familie", "boerne_ungeforvaltning"),
        ("Trafik og Veje har ansvaret.", "Trafik og Veje", "teknik_miljoeforvaltning"),
        ("Vi mødes med Østjyllands Politi.", "Østjyllands Politi", "politi"),
        ("Turen går fra Hasselhøjskolen.", "Hasselhøjskolen", "folkeskoler"),
        ("Mød os på Skanderborg Bibliotek.", "Skanderborg Bibliotek", "biblioteker"),
        ("Boligforeningen Enghaven deltager.", "Boligforeningen Enghaven", "almene_boligselskaber"),
        ("Plejecenter Bøgely deltager.", "Plejecenter Bøgely", "plejehjem_omsorgscentre"),
        ("Rådet for Sikker Trafik underviser.", "Rådet for Sikker Trafik", "styrelser"),
        ("Ejerforeningen Strandparken deltager.", "Ejerforeningen Strandparken", "grundejerforeninger"),
        ("Det sker sammen med foreningen Café Exit.", "Café Exit", "sociale_foreninger_ngo"),
        ("Fritids- og ungdomsklubberne holder åbent.", "Fritids- og ungdomsklubberne", "sfo_klubtilbud"),
    ],
)
def test_names_and_shapes_are_placed(text: str, surface: str, sub: str) -> None:
    assert named(text)[surface] == sub


def test_a_genitive_is_the_same_actor() -> None:
    first, second = find_actors(page("Politiets tal er klare. Ældre Sagens frivillige hjælper med."))[:2]
    assert (first.surface, first.placement.canonical_name) == ("Politiets", "Politiet")
    assert (second.surface, second.placement.canonical_name) == ("Ældre Sagens", "Ældre Sagen")


def test_the_longest_name_wins_and_nothing_inside_it_counts() -> None:
    assert named("TrygFonden Kystlivredning deltager.") == {
        "TrygFonden Kystlivredning": "redningsorganisationer"
    }


def test_two_units_joined_by_and_stay_two_actors() -> None:
    assert list(named("Seniorrådet og Handicaprådet deltager.")) == ["Seniorrådet", "Handicaprådet"]


def test_capitals_tell_a_department_from_the_people_it_works_for() -> None:
    assert named("Børn og Unge har ansvaret.")["Børn og Unge"] == "boerne_ungeforvaltning"
    assert named("Det er for børn og unge.")["børn og unge"] == "boern_unge"


def test_ones_own_municipality_is_the_administration_and_another_one_a_partner() -> None:
    found = named("Aarhus Kommune arbejder sammen med Odense Kommune.")
    assert found == {
        "Aarhus Kommune": "kommunal_direktion_stabe",
        "Odense Kommune": "tvaerkommunale_samarbejder",
    }


def test_the_municipality_is_one_actor_however_it_is_called() -> None:
    found = find_actors(page("Aarhus Kommune begynder. Kommunen slutter."))
    assert {mention.placement.canonical_name for mention in found} == {"Aarhus Kommune"}


def test_a_group_counts_only_where_the_sentence_gives_it_a_role() -> None:
    assert roles("Tilbuddet er for unge.") == {"unge": "målgruppe"}
    assert roles("Tallet steg, mens unge fyldte mere i statistikken.") == {}


@pytest.mark.parametrize(
    "text",
    [
        "Der er ladet 14 gode råd.",
        "Huset ligger på Skolegade.",
        "Læs om kommuneplanen på rådhuset.",
        "Målgruppen er bred.",
    ],
)
def test_words_that_only_look_like_actors_are_none(text: str) -> None:
    assert named(text) == {}


def test_a_name_no_rule_places_is_unresolved_after_a_cue_of_cooperation() -> None:
    (mention,) = find_actors(page("Det sker i samarbejde med Lyngbakke Trivsel."))
    assert mention.surface == "Lyngbakke Trivsel"
    assert (mention.placement.master_category, mention.placement.subcategory) == (UNRESOLVED, UNRESOLVED)
    assert mention.placement.how_decided == "unresolved"


@pytest.mark.parametrize(
    "text",
    [
        "Vi så Lyngbakke Trivsel i går.",
        "Det sker i samarbejde med Mette Hansen.",
        "Det sker sammen med lektor Fjordbak.",
        "Det sker sammen med Niels.",
    ],
)
def test_without_a_cue_and_for_persons_there_is_no_unresolved_actor(text: str) -> None:
    assert find_actors(page(text)) == []


@pytest.mark.parametrize(
    ("text", "surface", "role"),
    [
        ("Politiet har ansvaret for planen.", "Politiet", "ansvarlig"),
        ("Natteravnene patruljerer hver fredag.", "Natteravnene", "udførende"),
        ("Ordningen drives af Røde Kors.", "Røde Kors", "udførende"),
        ("Det sker i samarbejde med Natteravnene.", "Natteravnene", "deltager"),
        ("Planen er vedtaget af Børneudvalget.", "Børneudvalget", "ansvarlig"),
        ("Tilbuddet henvender sig til forældre.", "forældre", "målgruppe"),
        ("Derfor patruljerer politiet om natten.", "politiet", "udførende"),
    ],
)
def test_the_words_around_an_actor_give_its_role(text: str, surface: str, role: str) -> None:
    assert roles(text)[surface] == role


def test_a_title_is_an_actor_and_the_person_who_bears_it_is_none() -> None:
    assert list(named("Borgmester Mette Hansen åbnede huset.")) == ["Borgmester"]


def test_actors_in_a_list_share_the_cue() -> None:
    assert roles("Det sker i samarbejde med Natteravnene, Røde Kors og Byrådet.") == dict.fromkeys(
        ["Natteravnene", "Røde Kors", "Byrådet"], "deltager"
    )


def test_without_a_cue_the_subcategory_has_its_own_role() -> None:
    assert roles("Byrådet er tilfreds.") == {"Byrådet": "ansvarlig"}


def test_every_surface_stands_in_its_sentence_and_only_the_asked_sentences_are_read() -> None:
    text = page("Politiet deltager. Natteravnene deltager. Røde Kors deltager.")
    found = find_actors(text, (2,))
    assert [(mention.surface, mention.sentence_id) for mention in found] == [("Natteravnene", 2)]
    assert all(
        fold(mention.surface) in fold(text.sentence(mention.sentence_id)) for mention in find_actors(text)
    )


class Engine:
    """A coder that only finds actors."""

    engine, label, codebook_hash = "test", "Test", "0"

    def ready(self) -> None: ...

    def prepare(self, pages: Sequence[Page]) -> None:
        raise NotImplementedError

    def code(self, page: Page) -> PageCoding:
        raise NotImplementedError

    def prepare_actors(self, pages: Sequence[Page]) -> None: ...

    def actors(self, page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
        return find_actors(page, sentence_ids)

    def account(self) -> dict[str, str | int | float]:
        return {}


def initiative(
    name: str, *, pages: tuple[str, ...] = ("p1",), evidence: tuple[int, ...] = (1,)
) -> dict[str, Any]:
    return {
        "initiative_id": name,
        "name": name,
        "pages": list(pages),
        "evidence_page": pages[0],
        "evidence_ids": list(evidence),
    }


def test_a_national_actor_has_one_id_in_all_municipalities_and_a_local_one_its_own() -> None:
    ids = {}
    for slug in ("aarhus", "odense"):
        _, entities = actor_rows(
            [initiative("A")], {"p1": page("Røde Kors og Byrådet deltager.", slug)}, Engine(), slug
        )
        ids[slug] = {row["canonical_name"]: row["entity_id"] for row in entities}
    assert ids["aarhus"]["Røde Kors"] == ids["odense"]["Røde Kors"] == stable_id("national", "røde kors")
    assert ids["aarhus"]["Byrådet"] == stable_id("aarhus", "byrådet") != ids["odense"]["Byrådet"]


def test_with_one_initiative_the_whole_page_belongs_to_it() -> None:
    mentions, entities = actor_rows(
        [initiative("A")],
        {"p1": page("Byrådet deltager.\n# Mere\nPolitiet deltager. Politiets tal.")},
        Engine(),
        "aarhus",
    )
    assert [row["surface"] for row in mentions] == ["Byrådet", "Politiet", "Politiets"]
    politiet = next(row for row in entities if row["canonical_name"] == "Politiet")
    assert (politiet["mentions"], politiet["initiatives"]) == (2, 1)


def test_with_several_initiatives_each_has_the_section_under_its_heading() -> None:
    text = "Kommunens side.\n# Trygge veje\nPolitiet deltager.\n# Baggrund\nRøde Kors deltager.\n# Trygge parker\nByrådet deltager."
    mentions, _ = actor_rows(
        [initiative("Trygge veje"), initiative("Trygge parker")], {"p1": page(text)}, Engine(), "aarhus"
    )
    assert {(row["initiative_id"], row["surface"]) for row in mentions} == {
        ("Trygge veje", "Politiet"),
        ("Trygge veje", "Røde Kors"),
        ("Trygge parker", "Byrådet"),
    }


def test_an_initiative_without_a_heading_has_its_evidence_sentences() -> None:
    text = "Politiet deltager. Natteravnene deltager.\n# Trygge parker\nByrådet deltager."
    mentions, _ = actor_rows(
        [initiative("Natterunden", evidence=(2,)), initiative("Trygge parker")],
        {"p1": page(text)},
        Engine(),
        "aarhus",
    )
    assert [row["surface"] for row in mentions if row["initiative_id"] == "Natterunden"] == ["Natteravnene"]


def test_the_rows_honour_their_contracts_and_pages_no_longer_kept_are_passed_over() -> None:
    rows = actor_rows(
        [initiative("A", pages=("p1", "gone"))],
        {"p1": page("Byrådet og politiet deltager.")},
        Engine(),
        "aarhus",
    )
    assert contract("actor_mentions").frame(rows[0]).height == 2
    assert contract("actor_entities").frame(rows[1]).height == 2
    assert actor_rows([], {}, Engine(), "aarhus") == ([], [])
