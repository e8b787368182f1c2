"""One verdict and one reason per raw page."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tryg_assets.contracts import contract
from tryg_assets.domain.filtering.rules import cleaning_rules
from tryg_assets.domain.filtering.verdicts import filter_pages, judge, latest_date

RULES = cleaning_rules()
TEXT = "Byrådet har vedtaget en plan for en tryg midtby med mere lys og flere voksne om aftenen."
Row = dict[str, Any]


def raw(**fields: Any) -> Row:
    page: Row = {
        "page_id": "p",
        "municipality": "proeveby",
        "url": "https://www.proeveby.dk/midtby",
        "canonical": None,
        "title": "Midtby",
        "text": TEXT,
        "published_date": None,
        "updated_date": None,
        "date_source": None,
        "language": "da",
    }
    return page | fields


EMPTY = {"text": "Tryg by"}
SOFT_404 = {"title": "404", "text": "Siden findes ikke. Prøv at søge efter tryg by i stedet for."}
ENGLISH = {"language": "en", "text": "Our plan for a tryg town with more light in the evening."}
NOISE = {"text": "Mål dit blodtryk på sundhedscenteret hver mandag formiddag, det er betryggende."}
NAME = {"text": "Projektet er støttet af TrygFonden og en række andre private fonde."}
JOB = {
    "title": "Pædagog søges",
    "url": "https://www.proeveby.dk/job/17",
    "text": f"{TEXT} Ansøgningsfrist den 1. maj.",
}
OLD = {"published_date": date(2019, 12, 31), "date_source": "meta"}


@pytest.mark.parametrize(
    ("page", "reason", "decided_by"),
    [
        (raw(), None, "tryg"),
        (raw(text=""), "empty", "0 ord tekst"),
        (raw(**EMPTY), "empty", "2 ord tekst"),
        (raw(**SOFT_404), "soft_404", "'siden findes ikke'"),
        (raw(**ENGLISH), "not_danish", "sprog: en"),
        (raw(**NOISE), "noise_word", "betryggende, blodtryk"),
        (raw(**NAME), "name_only", "trygfonden"),
        (raw(**JOB), "job_ad", "/job/, søges, ansøgningsfrist"),
        (raw(**OLD), "before_2020", "31.12.2019 (meta)"),
    ],
)
def test_each_reason(page: Row, reason: str | None, decided_by: str) -> None:
    verdict = judge(page, RULES)
    assert (verdict.reason, verdict.decided_by) == (reason, decided_by)


# Each page has its own fault and all that come later in the order; the first decides.
@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ([OLD, JOB, NAME, ENGLISH, SOFT_404, EMPTY], "empty"),
        ([OLD, JOB, ENGLISH, SOFT_404], "soft_404"),
        ([OLD, JOB, NAME, ENGLISH], "not_danish"),
        ([OLD, JOB, NOISE], "noise_word"),
        ([OLD, JOB, NAME], "name_only"),
        ([OLD, JOB], "job_ad"),
    ],
)
def test_the_order_of_reasons(faults: list[Row], reason: str) -> None:
    page = raw()
    for fault in faults:
        page |= fault
    assert judge(page, RULES).reason == reason


def test_a_name_beside_noise_is_a_name_and_a_safety_word_beside_both_keeps_the_page() -> None:
    both = f"{NAME['text']} {NOISE['text']}"
    assert judge(raw(text=both), RULES).reason == "name_only"
    kept = judge(raw(text=f"{both} Nu er byen tryggere."), RULES)
    assert (kept.reason, kept.safety_words) == (None, ["tryggere"])


def test_a_safety_word_in_the_title_alone_keeps_the_page() -> None:
    assert judge(
        raw(title="Tryg by", text="Planen giver mere lys og flere voksne i gaderne."), RULES
    ).safety_words == ["tryg"]


def test_a_long_page_that_speaks_of_missing_pages_is_no_soft_404() -> None:
    assert judge(raw(text=f"Siden findes ikke. {TEXT * 10}"), RULES).reason is None


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (raw(**OLD, updated_date=date(2020, 1, 1)), None),
        (raw(published_date=date(2020, 1, 1), date_source="text"), None),
        (raw(updated_date=date(2015, 1, 1), date_source="text"), "before_2020"),
        (raw(), None),
    ],
)
def test_the_latest_date_decides_and_an_unknown_date_is_kept(page: Row, reason: str | None) -> None:
    assert judge(page, RULES).reason == reason


def test_the_latest_date_of_a_page() -> None:
    assert latest_date(raw()) is None
    assert latest_date(raw(published_date=date(2021, 1, 1), updated_date=date(2020, 1, 1))) == date(
        2021, 1, 1
    )


@pytest.mark.parametrize(
    ("fields", "is_ad"),
    [
        ({"url": "https://www.proeveby.dk/job/17"}, False),
        ({"title": "SSP-konsulent søges"}, False),
        ({"text": f"{TEXT} Ansøgningsfrist den 1. maj."}, False),
        ({"title": "SSP-konsulent søges", "url": "https://www.proeveby.dk/job/17"}, True),
        ({"title": "SSP-konsulent søges", "text": f"{TEXT} Ansøgningsfrist den 1. maj."}, True),
        ({"text": f"{TEXT} Ansøgningsfrist den 1. maj. Samtaler afholdes i juni."}, True),
    ],
)
def test_a_job_ad_needs_two_signs(fields: Row, is_ad: bool) -> None:
    assert (judge(raw(**fields), RULES).reason == "job_ad") is is_ad


URL = "https://www.proeveby.dk"


@pytest.mark.parametrize(
    ("original", "copy"),
    [
        ({"url": f"{URL}/midtby/planen"}, {"url": f"{URL}/print/midtby"}),
        ({"url": f"{URL}/midtby/planen"}, {"url": f"{URL}/m?print=1"}),
        (
            {"url": f"{URL}/midtby/planen", "canonical": f"{URL}/midtby/planen"},
            {"url": f"{URL}/midtby", "canonical": f"{URL}/midtby/planen"},
        ),
        ({"url": f"{URL}/midtby"}, {"url": f"{URL}/nyheder/midtby"}),
        ({"url": f"{URL}/a"}, {"url": f"{URL}/b"}),
        ({"url": f"{URL}/a"}, {"url": f"{URL}/b", "text": TEXT.replace(",", "").upper()}),
    ],
    ids=[
        "not the print folder",
        "not the print view",
        "the one that calls itself canonical",
        "the shorter address",
        "the first",
        "case and punctuation aside",
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_one_of_two_pages_with_the_same_text_is_kept(original: Row, copy: Row, turned: bool) -> None:
    pages = [raw(page_id="original", **original), raw(page_id="copy", **copy)]
    rows = {row["page_id"]: row for row in filter_pages(pages[::-1] if turned else pages, RULES)}
    assert (rows["original"]["verdict"], rows["original"]["duplicate_of"]) == ("kept", None)
    assert (rows["copy"]["reason"], rows["copy"]["duplicate_of"]) == ("duplicate_of", "original")
    assert rows["copy"]["decided_by"] == f"samme tekst som {original['url']}"


LONG = [f"sætning{n} handler om en tryg midtby hvor lyset er tændt" for n in range(40)]


@pytest.mark.parametrize(
    "twin",
    [
        "https://m.proeveby.dk/midtby",
        f"{URL}/mobil/midtby",
        f"{URL}/print/midtby",
        f"{URL}/midtby?print=1",
        f"{URL}/midtby/udskriv",
    ],
)
def test_a_mobile_or_print_twin_is_dropped_even_if_it_is_shorter(twin: str) -> None:
    pages = [
        raw(page_id="plain", url=f"{URL}/midtby", text=". ".join(LONG)),
        raw(page_id="twin", url=twin, text=". ".join(LONG[:15])),
    ]
    rows = {row["page_id"]: row for row in filter_pages(pages, RULES)}
    assert (rows["plain"]["verdict"], rows["twin"]["duplicate_of"]) == ("kept", "plain")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            f"{URL}/midtby?print=1",
            "En helt anden tekst om hvordan vi gør havnen tryg for alle der bor her i byen.",
        ),
        (f"{URL}/blueprint/midtby", ". ".join(LONG[:15])),
        (f"{URL}/havn?print=1", ". ".join(LONG[:15])),
    ],
    ids=["a twin by address only", "no twin address", "the twin of another page"],
)
def test_a_page_that_only_looks_like_a_twin_is_kept(url: str, text: str) -> None:
    pages = [
        raw(page_id="plain", url=f"{URL}/midtby", text=". ".join(LONG)),
        raw(page_id="other", url=url, text=text),
    ]
    assert [row["verdict"] for row in filter_pages(pages, RULES)] == ["kept", "kept"]


def test_a_dropped_page_takes_no_other_with_it() -> None:
    rows = filter_pages(
        [raw(page_id="old", url=f"{URL}/a", **OLD), raw(page_id="new", url=f"{URL}/long/b")], RULES
    )
    assert [(row["page_id"], row["reason"]) for row in rows] == [("old", "before_2020"), ("new", None)]


def test_different_pages_are_both_kept() -> None:
    other = "Sundhedscenteret holder åbent for utrygge borgere hver tirsdag eftermiddag i hele vinteren."
    assert [
        row["verdict"] for row in filter_pages([raw(page_id="a"), raw(page_id="b", text=other)], RULES)
    ] == ["kept", "kept"]


def test_every_page_has_one_row_that_honours_the_contract() -> None:
    faults: list[Row] = [{}, {}, EMPTY, SOFT_404, ENGLISH, NOISE, NAME, JOB, OLD]
    pages = [raw(page_id=str(number), **fault) for number, fault in enumerate(faults)]
    table = contract("filtered_pages").frame(filter_pages(pages, RULES))
    assert table["page_id"].to_list() == [page["page_id"] for page in pages]
    assert table.filter(table["verdict"] == "kept")["reason"].null_count() == 1
    assert set(table["reason"].drop_nulls()) == {
        "duplicate_of",
        "empty",
        "soft_404",
        "not_danish",
        "noise_word",
        "name_only",
        "job_ad",
        "before_2020",
    }
    assert filter_pages([], RULES) == []


def test_a_long_report_that_mentions_applications_is_no_job_ad() -> None:
    text = "Tryghed i byen er rapportens emne. " * 400 + "Nogle fik en jobsamtale efter ansøgningsfrist."
    assert judge(raw(text=text), RULES).reason is None
    assert judge(raw(text=text[-400:]), RULES).reason == "job_ad"
