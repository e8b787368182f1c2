"""``tryg explain``: a stranger reads what happened to a page at each step, and why."""

from __future__ import annotations

import polars as pl
import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.reporting.story import Story, loose, municipality_story, page_story
from tryg_assets.domain.reporting.wording import say_detail, wording
from tryg_assets.domain.sites import Site
from tryg_assets.storage import Lake
from tryg_assets_tests.assets.conftest import NOW, SLUG, TEXTS, change, log_row

SITE = "https://albertslund.dk"


def told(story: Story) -> str:
    return "\n".join(line for step in story.steps for line in (step.heading, *step.lines))


def asked(lake: Lake, path: str, outcome: str, **fields: object) -> Story:
    """Write a log with one more address, and tell its story."""
    rows = [*lake.read("crawl_log", SLUG).to_dicts(), {**log_row(path, outcome), **fields}]
    lake.write("crawl_log", contract("crawl_log").frame(rows), SLUG)
    return page_story(lake, SITE + path)


def test_a_kept_page_is_told_from_the_website_to_the_numbers(lake: Lake) -> None:
    story = page_story(lake, f"{SITE}/plan")
    assert [step.heading[:2] for step in story.steps] == ["1.", "2.", "3.", "4.", "5.", "6.", "7.", "8."]
    text = told(story)
    assert "udgivet 01.03.2024 (fra sidens metadata)" in text
    assert "Beholdt. Ord, der handler om tryghed: " in text
    assert "Regelbaseret, ikke AI" in text
    assert "Citat (fundet ordret på siden): »" in text
    assert "Belæg: S2: Byrådet har vedtaget en tryghedsplan for bymidten." in text
    assert "»Tryghedsplan for bymidten«" in text
    assert "Natteravnene" in text
    assert "Siden er ikke udtrukket til gennemgang; ingen har svaret." in text
    assert "1 indsats i kommunens antal." in text


@pytest.mark.parametrize(
    "address",
    [
        "albertslund.dk/plan",
        "http://www.albertslund.dk/plan/",
        "HTTPS://Albertslund.dk/plan#afsnit",
        " https://albertslund.dk/plan ",
    ],
)
def test_an_address_may_be_given_loosely(lake: Lake, address: str) -> None:
    assert page_story(lake, address) == page_story(lake, f"{SITE}/plan")


def test_a_page_id_is_as_good_as_an_address(lake: Lake) -> None:
    page_id = lake.read("raw_crawl", SLUG).filter(pl.col("url") == f"{SITE}/plan")["page_id"][0]
    assert page_story(lake, page_id) == page_story(lake, f"{SITE}/plan")


def test_a_dropped_page_ends_with_its_reason_and_the_words_that_decided(lake: Lake) -> None:
    story = page_story(lake, f"{SITE}/sundhed")
    assert story.steps[-1].heading == "3. Renset"
    assert "Ordet betyder noget andet end tryghed her" in told(story)
    assert "Afgjort af: blodtryk." in told(story)


def test_a_duplicate_names_the_page_that_counts_in_its_place(lake: Lake) -> None:
    plan, other = (
        lake.read("raw_crawl", SLUG).filter(pl.col("url") == SITE + path)["page_id"][0]
        for path in ("/plan", "/kontakt")
    )
    dropped = pl.col("page_id") == other
    change(
        lake,
        "filtered_pages",
        pl.when(dropped).then(pl.lit("dropped")).otherwise("verdict").alias("verdict"),
        pl.when(dropped).then(pl.lit("duplicate_of")).otherwise("reason").alias("reason"),
        pl.when(dropped).then(pl.lit(plan)).otherwise("duplicate_of").alias("duplicate_of"),
    )
    assert f"I stedet tæller: {SITE}/plan (Tryghedsplan for bymidten)" in told(
        page_story(lake, f"{SITE}/kontakt")
    )


def test_a_page_coded_no_says_that_it_gives_no_initiative(lake: Lake) -> None:
    text = told(page_story(lake, f"{SITE}/kontakt"))
    assert "Beskriver siden en tryghedsindsats? Nej" in text
    assert "giver ingen indsats" in text
    assert "5. Indsatser" not in text


@pytest.mark.parametrize(
    ("outcome", "fields", "said"),
    [
        ("robots", {}, "robots.txt beder om det"),
        ("redirect", {"final_url": f"{SITE}/plan", "status": 301}, f"Se historien for {SITE}/plan"),
        ("out_of_scope", {"status": 302}, "hører til kommunen"),
        ("trap", {"detail": "path repeats itself"}, "endeløs række"),
        ("error", {"status": 500}, "HTTP 500"),
        ("error", {}, "intet svar"),
        ("no_stem", {"status": 200, "reused": True}, "uændret siden sidst"),
    ],
)
def test_an_address_that_gave_no_hit_says_why(
    lake: Lake, outcome: str, fields: dict[str, object], said: str
) -> None:
    story = asked(lake, "/andet", outcome, **fields)
    assert story.known
    assert said in told(story)
    assert ("Spurgt" in told(story)) == (outcome not in ("robots", "trap"))
    assert len(story.steps) == 1


def test_the_way_from_the_home_page_is_shown_and_a_loop_in_it_ends(lake: Lake) -> None:
    asked(lake, "/a", "no_stem", found_on=f"{SITE}/b")
    story = asked(lake, "/b", "no_stem", found_on=f"{SITE}/a")
    assert f"Vejen dertil: {SITE}/a → {SITE}/b" in told(story)


def test_an_unknown_address_of_a_known_site_names_the_nearest(lake: Lake) -> None:
    story = page_story(lake, f"{SITE}/planer")
    assert not story.known
    assert story.nearest[0] == f"{SITE}/plan"
    assert "ikke denne" in told(story)


def test_an_address_outside_what_is_read_says_so(lake: Lake) -> None:
    story = page_story(lake, "https://www.example.org/plan")
    assert (story.known, story.nearest) == (False, ("albertslund.dk",))
    assert "Andre websites læses ikke" in told(story)


def test_a_site_on_the_list_that_could_not_be_read_is_told_with_the_reason(lake: Lake) -> None:
    site = Site("laesoe", "Læsø Kommune", "landdistrikt", "https://www.laesoe.dk/")
    failed = {"laesoe": "robots.txt svarede HTTP 500."}
    for story in (
        page_story(lake, "laesoe.dk/plan", [site], failed),
        municipality_story(lake, "laesoe", failed),
    ):
        assert not story.known
        assert "slog fejl" in story.steps[0].heading
        assert told(story).endswith(failed["laesoe"])
    assert "tryg run --municipality laesoe" in told(page_story(lake, "https://www.laesoe.dk:443/", [site]))


def test_a_funnel_that_stands_from_before_says_that_the_latest_crawl_failed(lake: Lake) -> None:
    story = municipality_story(lake, SLUG, {SLUG: "Websitet svarede ikke."})
    assert story.known
    assert (story.steps[0].lines, len(story.steps)) == (("Websitet svarede ikke.",), 7)


def test_an_empty_lake_says_what_to_do(lake: Lake) -> None:
    story = page_story(Lake(lake.root / "tom", lake.engine), f"{SITE}/plan")
    assert not story.known
    assert "tryg run" in told(story)


def test_a_page_read_but_not_coded_yet_says_so(lake: Lake) -> None:
    lake.path("page_codings", SLUG).unlink()
    assert "Ikke nået endnu: kodningen" in told(page_story(lake, f"{SITE}/plan"))


def test_review_and_answers_of_people_are_told_with_agreement(lake: Lake) -> None:
    page_id = lake.read("raw_crawl", SLUG).filter(pl.col("url") == f"{SITE}/plan")["page_id"][0]
    common = {"page_id": page_id, "municipality": SLUG, "url": f"{SITE}/plan"}
    answer = {
        **common,
        "task": "relevance",
        "item": "page",
        "value": "no",
        "coder": "Inge",
        "coder_kind": "person",
        "gold_version": "2026-11",
        "held_out": False,
        "coded_on": NOW.date(),
    }
    blank = dict.fromkeys(contract("human_codings").schema)
    lake.write("human_codings", contract("human_codings").frame([{**blank, **answer}]))
    assert "Inge, mennesket, svarede nej: UENIG med motoren (2026-11)." in told(
        page_story(lake, f"{SITE}/plan")
    )


def test_the_funnel_of_a_municipality_adds_up(lake: Lake) -> None:
    story = municipality_story(lake, SLUG)
    assert [step.heading for step in story.steps] == [
        f"1. Adresser, crawlet mødte: {len(TEXTS)}",
        f"2. Sider med ordstammen: {len(TEXTS)}",
        "3. Frasorteret: 1",
        "   Beholdt: 2",
        "4. Kodet: 2",
        "5. Indsatser, samlet på tværs af sider: 1",
    ]
    assert not municipality_story(lake, "aeroe").known


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("crawl_log", "outcome", "outcomes"),
        ("filtered_pages", "reason", "reasons"),
        ("raw_crawl", "date_source", "date_sources"),
        ("raw_crawl", "kind", "kinds"),
        ("page_codings", "is_initiative", "decisions"),
        ("page_codings", "criterion", "criteria"),
    ],
)
def test_every_code_of_the_contract_has_words(table: str, column: str, kind: str) -> None:
    column_of = {entry.name: entry for entry in contract(table).columns}[column]
    assert set(dict(column_of.tests)["accepted_values"]) <= set(wording()[kind])


def test_loose_addresses() -> None:
    assert loose("HTTPS://www.By.dk/Plan/#top") == "by.dk/plan"


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("1 redirect(s)", "1 viderestilling(er)"),
        ("redirects to https://andet.dk/a?b=1", "sender videre til https://andet.dk/a?b=1"),
        ("path repeats itself (and 400 more links)", "adressens sti gentager sig selv"),
        (
            "robots.txt answered HTTP 500, so nothing may be read",
            "robots.txt kunne ikke hentes (HTTP 500), så intet må læses",
        ),
        ("HTTP 404", "HTTP 404"),
        ("ConnectError: {nobody}", "ConnectError: {nobody}"),
    ],
)
def test_details_of_the_log_are_told_in_danish_or_as_they_are(detail: str, said: str) -> None:
    assert say_detail(detail) == said
