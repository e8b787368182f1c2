"""The report: it stands alone, says what it is, survives hostile text and empty tables, and can be read by everyone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser

from tryg_assets.contracts import contract, contracts
from tryg_assets.domain.coding.claude.prices import Prices
from tryg_assets.domain.reliability.gate import GateResult
from tryg_assets.domain.reporting import danish
from tryg_assets.domain.reporting.report import Costs, ReportData, examples, render_report, shade, web_address

NOON = datetime(2026, 4, 21, 12, 5, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>'
MARTS = [name for name, table in contracts().items() if table.stage == "aggregates"]
AREAS = {"trafiksikkerhed": "Trafiksikkerhed", "aeldre_pleje": "Ældre & pleje"}
BANNER = "Eksempeldata: teksterne er skrevet til dette projekt og siger intet om virkelige kommuner"


def frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Typed rows of a table; what a row leaves out is null where allowed, else a plain value of its type."""
    plain = {"str": "x", "int": 1, "float": 0.5, "bool": True, "date": date(2026, 4, 21)}
    columns = contract(table).columns
    blank = {c.name: None if c.nullable else plain.get(c.data_type, []) for c in columns}
    return contract(table).frame([blank | row for row in rows])


def initiative(id_: str, areas: list[str], **values: Any) -> dict[str, Any]:
    defaults = {
        "initiative_id": id_,
        "municipality": "aarhus",
        "name": f"Indsats {id_}",
        "kind": "besluttet_aktivitet",
        "focus_areas": areas,
        "pages": ["p1"],
        "quote": "Byrådet har besluttet at gøre skolevejene trygge.",
        "evidence_url": "https://www.aarhus.dk/tryg",
    }
    return defaults | values


def coverage() -> pl.DataFrame:
    rows = [("trafiksikkerhed", 2, 0.776), ("aeldre_pleje", 1, 0.806)]
    return frame(
        "focus_area_coverage",
        [
            {
                "position": position,
                "focus_area": area,
                "label": AREAS[area],
                "municipalities": n,
                "of_sites": 2,
                "share": n / 2,
                "ci_low": n / 2 - 0.4,
                "ci_high": min(1.0, n / 2 + 0.4),
                "published_share": published,
            }
            for position, (area, n, published) in enumerate(rows, 1)
        ],
    )


def overview() -> pl.DataFrame:
    names = {
        "aabenraa": "Aabenraa Kommune",
        "aarhus": "Aarhus Kommune",
        "odense": "Odense Kommune",
        "aeroe": "Ærø Kommune",
    }
    read = ("aarhus", "odense")
    return frame(
        "municipality_overview",
        [
            {
                "municipality": slug,
                "name": name,
                "tried": 1234,
                "status": "læst" if slug in read else "ikke læst",
            }
            for slug, name in names.items()
        ],
    )


def by_type() -> pl.DataFrame:
    cells = [("storby", 1, 2, 2), ("landdistrikt", 5, 1, 4), ("forstad", 2, 0, 0)]
    return frame(
        "focus_area_by_type",
        [
            {
                "focus_area": "trafiksikkerhed",
                "label": "Trafiksikkerhed",
                "type": kind,
                "type_position": position,
                "type_label": kind.title(),
                "municipalities": n,
                "of_sites": of,
                "share": n / of if of else None,
            }
            for kind, position, n, of in cells
        ],
    )


def agreement(**values: Any) -> pl.DataFrame:
    row = {
        "task": "relevance",
        "item": "page",
        "texts": "all",
        "human_n": 0,
        "coder_kind": "sample_reference",
        "n": 1200,
        "percent_agreement": 0.967,
        "ci_low": 0.955,
        "ci_high": 0.975,
        "kappa": 0.93,
    }
    return frame("agreement", [row | values])


def corrected() -> pl.DataFrame:
    pages = {"about": "alle", "item": "alle", "unit": "sider"}
    enough = {"machine": 2294, "corrected": 2000.4, "low": 1855.0, "high": 2146.0, "labels": 600}
    few = {"machine": 12, "why_not": "For få kodninger: 3 sider er kodet, og der skal kodes omtrent 40 mere."}
    return frame(
        "corrected_estimates",
        [{**pages, "type": "alle", **enough}, {**pages, "type": "storby", "method": "none", **few}],
    )


@pytest.fixture
def data() -> ReportData:
    actors = [("politi", "Politi", 41, 3), ("folkeskoler", f"Folkeskoler {HOSTILE}", 30, None)]
    marts = {
        "funnel": frame(
            "funnel",
            [
                {
                    "position": 1,
                    "stage": "raw_crawl",
                    "label": "Sider med ordstammen tryg",
                    "n": 3600,
                    "published_n": 41721,
                },
                {"position": 2, "stage": "classified_initiatives", "label": "Tryghedsindsatser", "n": 100},
            ],
        ),
        "funnel_drops": frame("funnel_drops", [{"reason": "job_ad", "label": "Jobopslag", "n": 17}]),
        "focus_area_coverage": coverage(),
        "focus_area_by_type": by_type(),
        "top_actors": frame(
            "top_actors",
            [
                {
                    "rank": rank,
                    "subcategory": sub,
                    "label": label,
                    "initiatives": n,
                    "of_initiatives": 100,
                    "share": n / 100,
                    "published_rank": published,
                }
                for rank, (sub, label, n, published) in enumerate(actors, 1)
            ],
        ),
        "actor_cooccurrence": frame(
            "actor_cooccurrence",
            [
                {
                    "subcategory_a": "folkeskoler",
                    "subcategory_b": "politi",
                    "label_a": f"Folkeskoler {HOSTILE}",
                    "label_b": "Politi",
                    "initiatives": 20,
                    "initiatives_a": 30,
                    "initiatives_b": 41,
                }
            ],
        ),
        "municipality_overview": overview(),
    }
    return ReportData(
        marts=marts,
        agreement=agreement(),
        corrected=corrected(),
        initiatives=frame(
            "classified_initiatives",
            [initiative("i1", ["trafiksikkerhed"], name=f"Tryg {HOSTILE}", quote=HOSTILE)],
        ),
        missing=[("Ærø Kommune", f"Serveren svarede ikke {HOSTILE}")],
        corpus="live",
        engine="offline-rules",
        engine_label="Regelbaseret, ikke AI",
        codebook_hash="9f2c41d0",
        generated_at=NOON,
        gate=GateResult(True, True, ()),
        draft=False,
    )


def empty(data: ReportData) -> ReportData:
    return replace(
        data,
        marts={name: contract(name).empty() for name in MARTS},
        agreement=contract("agreement").empty(),
        corrected=contract("corrected_estimates").empty(),
        initiatives=contract("classified_initiatives").empty(),
        missing=[],
    )


def text(html: str) -> str:
    body = LexborHTMLParser(html).body
    assert body is not None
    return " ".join(body.text(separator=" ").replace("\xa0", " ").split())


def test_it_asks_for_nothing_outside_itself(data: ReportData) -> None:
    tree = LexborHTMLParser(render_report(data))
    assert not tree.css("script, link, iframe, object, embed, img, [src], [srcset], image, use")
    assert {node.tag for node in tree.css("[href]")} == {"a"}
    style = " ".join(node.text() for node in tree.css("style"))
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_text_is_shown_and_not_run(data: ReportData) -> None:
    html = render_report(data)
    assert "<script" not in html
    assert text(html).count(HOSTILE) >= 4  # name, quote, reason and table of actors


def test_the_same_data_give_the_same_bytes(data: ReportData) -> None:
    assert render_report(data) == render_report(data)


def test_the_sample_says_that_it_is_a_sample_and_the_live_web_does_not(data: ReportData) -> None:
    assert BANNER in text(render_report(replace(data, corpus="sample")))
    assert BANNER not in text(render_report(data))
    assert "dækker ikke hele landet" in text(render_report(replace(data, corpus="sites")))


def test_a_draft_says_so_and_why(data: ReportData) -> None:
    shut = GateResult(False, True, ("Nedre grænse er for lav.",))
    said = text(render_report(replace(data, draft=True, gate=shut)))
    assert (
        said.index("KLADDE - ikke udgivet")
        < said.index("Nedre grænse er for lav.")
        < said.index("Kort fortalt")
    )
    assert "Tallene kan ikke udgives." in said
    assert "KLADDE" not in text(render_report(data))


def test_numbers_stand_with_their_n_in_danish(data: ReportData) -> None:
    said = text(render_report(data))
    for expected in (
        "3.600",
        "41.721",
        "Trafiksikkerhed er det mest udbredte fokusområde: 2 af 2 læste kommuner (100,0 %)",
        "storby 100,0 % (n = 2), landdistrikt 25,0 % (n = 4)",
        "Politi : 41 af 100 indsatser (41,0 %)",
        "96,7 % n = 1.200; 95 %-interval 95,5–97,5 %",
        "20 1,6 gange",  # 20 * 100 / (30 * 41)
        "Regelbaseret, ikke AI",
        "21.04.2026 kl. 12.05 UTC",
    ):
        assert expected in said


def test_what_the_reference_is_is_said_plainly(data: ReportData) -> None:
    assert "Det er ikke feltdata" in text(render_report(data))
    people = text(render_report(replace(data, agreement=agreement(coder_kind="person"))))
    assert "mennesker, som har kodet et tilfældigt udsnit" in people
    assert "Det er ikke feltdata" not in people


def test_corrected_numbers_stand_beside_the_machines_or_say_why_not(data: ReportData) -> None:
    said = text(render_report(data))
    assert "Sider, der beskriver en indsats 2.294 2.000 1.855–2.146 600" in said
    assert (
        "Sider, der beskriver en indsats 12 For få kodninger: 3 sider er kodet, og der skal kodes omtrent 40 mere. –"
        in said
    )
    assert "ikke mod menneskers kodning" in said
    by_people = replace(data, corrected=data.corrected.with_columns(coder_kind=pl.lit("person")))
    assert "ikke mod menneskers kodning" not in text(render_report(by_people))


def test_what_people_agree_on_among_themselves_is_the_most_to_expect(data: ReportData) -> None:
    twice = agreement(coder_kind="person", human_n=120, human_alpha=0.81, human_low=0.7, human_high=0.9)
    assert "(Krippendorffs alfa) er 0,81 (95 %-interval 0,70–0,90)" in text(
        render_report(replace(data, agreement=twice))
    )
    once = agreement(coder_kind="person", human_n=0)
    assert "Ingen sider er kodet af to" in text(render_report(replace(data, agreement=once)))


def test_only_the_gold_version_to_go_by_is_shown(data: ReportData) -> None:
    older = replace(data, agreement=agreement(judged=False))
    assert "Der er ingen referencekodninger af disse sider" in text(render_report(older))


def test_the_measured_figures_of_the_engine_stand_under_the_method(data: ReportData) -> None:
    shown = text(render_report(data))
    assert shown.count("Målt sikkerhed") == 2
    assert "med en anden kodebog end denne rapports" in shown
    assert "Målt sikkerhed" not in text(render_report(replace(data, engine="another")))


def test_empty_tables_give_a_report_that_says_so(data: ReportData) -> None:
    gate = GateResult(False, False, ("Ingen referencekodninger.",))
    html = render_report(replace(empty(data), gate=gate, draft=True))
    assert "<svg" not in html
    said = text(html)
    for expected in (
        "Der er endnu ingen indsatser",
        "Ingen kommuner er læst endnu",
        "Overensstemmelsen er ikke målt",
    ):
        assert expected in said


def test_it_can_be_read_by_everyone(data: ReportData) -> None:
    for html in (render_report(data), render_report(empty(data))):
        tree = LexborHTMLParser(html)
        assert tree.css('html[lang="da"]')
        assert len(tree.css("h1")) == 1
        levels = [int((node.tag or "h0")[1]) for node in tree.css("h1, h2, h3, h4")]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert all(
            node.attributes["role"] == "img" and node.attributes["aria-label"] for node in tree.css("svg")
        )
        assert all(node.css_first("caption") for node in tree.css("table"))
        ids = [node.attributes["id"] for node in tree.css("[id]")]
        assert len(ids) == len(set(ids))
        assert {node.attributes["href"] for node in tree.css("nav a")} <= {f"#{name}" for name in ids}
    assert len(LexborHTMLParser(render_report(data)).css("svg")) == 5


def test_municipalities_stand_in_the_order_of_the_danish_alphabet(data: ReportData) -> None:
    rows = LexborHTMLParser(render_report(data)).css("#alle tbody th")
    assert [row.text() for row in rows] == [
        "Odense Kommune",
        "Ærø Kommune",
        "Aabenraa Kommune",
        "Aarhus Kommune",
    ]


def test_examples_are_two_an_area_from_different_municipalities_and_never_shown_twice() -> None:
    both = ["trafiksikkerhed", "aeldre_pleje"]
    table = frame(
        "classified_initiatives",
        [
            initiative("i1", both, pages=["p1", "p2", "p3"]),
            initiative("i2", ["trafiksikkerhed"]),
            initiative("i3", ["trafiksikkerhed"], municipality="odense"),
            initiative("i4", ["trafiksikkerhed"], municipality="aeroe"),
            initiative("i5", ["aeldre_pleje"], municipality="unlisted"),
        ],
    )
    found = {area["label"]: area["initiatives"] for area in examples(table, coverage(), overview())}
    assert [item["name"] for item in found["Trafiksikkerhed"]] == ["Indsats i1", "Indsats i3"]
    assert found["Ældre & pleje"] == []
    assert found["Trafiksikkerhed"][0]["kind"] == "besluttet aktivitet"


def test_numbers_and_names_of_persons_are_masked_in_quotes_and_names() -> None:
    table = frame(
        "classified_initiatives",
        [
            initiative(
                "i1",
                ["trafiksikkerhed"],
                name="Mette Hansens hus",
                quote="Ring til Bo Larsen på 86 12 34 56.",
            )
        ],
    )
    (example,) = examples(table, coverage(), overview())[0]["initiatives"]
    assert (example["name"], example["quote"]) == ("[navn] hus", "Ring til [navn] på [telefon].")


def test_an_engine_that_asks_no_language_model_costs_nothing(data: ReportData) -> None:
    assert "0 kr. Motoren spørger ingen sprogmodel." in text(render_report(data))


def test_what_the_coding_has_cost_is_said_in_kroner_and_dollars(data: ReportData) -> None:
    row = {"municipality": "aarhus", "model": "m", "task": "decide", "month": "2026-11", "requests": 1200}
    rows = frame(
        "spend",
        [row | {"cost_usd": 1.5}, row | {"municipality": "odense", "cost_usd": 0.5}, row | {"model": "n"}],
    )
    costs = Costs.of(rows, "m", Prices.load())
    assert (costs.requests, costs.usd, costs.dkk) == (2400, Decimal("2"), Decimal("13.00"))
    html = text(render_report(replace(data, costs=costs)))
    assert "13,00 kr. (2,0000 dollar for 2.400 kald; 6,50 kr. pr. dollar" in html
    assert "decide 2,0000 dollar for 2.400 kald" in html


def test_a_long_quote_is_cut_at_a_word() -> None:
    table = frame(
        "classified_initiatives", [initiative("i1", ["trafiksikkerhed"], quote="trygge skoleveje " * 40)]
    )
    quote = examples(table, coverage(), overview())[0]["initiatives"][0]["quote"]
    assert len(quote) <= 322
    assert quote.endswith(("trygge …", "skoleveje …"))


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://www.aarhus.dk/a?b=c", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://[", False),
    ],
)
def test_only_web_addresses_become_links(address: str, kept: bool) -> None:
    assert web_address(address) == (address if kept else None)


def test_numbers_as_danes_write_them() -> None:
    assert danish.number(1234567) == "1.234.567"
    assert danish.percent(0.1234) == "12,3\xa0%"
    assert danish.interval(0.081, 0.152) == "8,1–15,2\xa0%"
    assert danish.between(1234.0, 1310.0) == "1.234–1.310"
    assert danish.decimal(1234.5) == "1.234,50"
    assert danish.day(NOON) == "21.04.2026"
    assert {
        danish.number(None),
        danish.percent(None),
        danish.interval(None, None),
        danish.between(None, None),
        danish.decimal(None),
        danish.day(None),
    } == {"–"}


@pytest.mark.parametrize("share", [n / 50 for n in range(51)])
def test_heat_cells_have_the_contrast_wcag_asks_for(share: float) -> None:
    def luminance(colour: list[int]) -> float:
        linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    background, ink = shade(share).removeprefix("background:rgb(").split(");color:")
    ground = luminance([int(part) for part in background.split(",")])
    light, dark = (1.0, ground) if ink == "#fff" else (ground, 0.0)
    assert (light + 0.05) / (dark + 0.05) >= 4.4


def replied(answer: str, **values: Any) -> dict[str, Any]:
    return {
        "reply_id": answer,
        "municipality": "aarhus",
        "name": f"Indsats {HOSTILE}",
        "answer": answer,
    } | values


def test_what_municipalities_reply_stands_for_itself(data: ReportData) -> None:
    rows = [
        replied("agree"),
        replied("disagree", comment="Det er en forening."),
        replied("missing", link="https://www.aarhus.dk/ny"),
        replied("agree", reply_id="x", municipality="unlisted", name="En anden"),
    ]
    with_replies = replace(data, replies=frame("municipality_replies", rows))
    html = render_report(with_replies)
    section = LexborHTMLParser(html).css_first("#svar")
    assert section is not None
    said = [
        [cell.text(separator=" ").strip() for cell in row.css("th, td")] for row in section.css("tbody tr")
    ]
    assert [row[2:4] for row in said] == [
        ["enig", "–"],
        ["uenig", "Det er en forening."],
        ["mangler på listen", "–"],
    ]
    assert [node.attributes["href"] for node in section.css("a")] == ["https://www.aarhus.dk/ny"]
    assert HOSTILE not in html
    assert "En anden" not in html
    rest = LexborHTMLParser(html), LexborHTMLParser(render_report(data))
    for tree in rest:
        tree.css_first("#svar").decompose()  # type: ignore[union-attr]
    assert rest[0].html == rest[1].html, "no number changes"


def test_a_reply_with_another_kind_of_link_shows_none(data: ReportData) -> None:
    rows = [replied("missing", link="javascript:alert(1)")]
    assert "javascript:" not in render_report(replace(data, replies=frame("municipality_replies", rows)))


def test_without_replies_it_says_so(data: ReportData) -> None:
    assert "Ingen kommuner har svaret endnu." in text(render_report(data))
