"""Dates in Danish and ISO notation, and which rule is trusted first."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tryg_assets.domain.crawling.dates import Dates, find_dates, is_dateline, parse_date

DAY = date(2021, 3, 3)
URL = "https://www.proeveby.dk/tryg"


@pytest.mark.parametrize(
    "text",
    [
        "3. marts 2021",
        "3 marts 2021",
        "03. Marts 2021",
        "3. mar. 2021",
        "3. mar 2021",
        "d. 3. marts 2021",
        "den 3. marts 2021",
        "onsdag den 3. marts 2021",
        "Onsdag d. 3. marts 2021",
        "onsdag, den 3. marts 2021",
        "03.03.21",
        "3.3.2021",
        "03-03-2021",
        "3/3 2021",
        "3/3-2021",
        "3/3-21",
        "3. 3. 2021",
        "2021-03-03",
        "2021-03-03T09:15:00+01:00",
        "Vedtaget af byrådet 3. marts 2021, gælder til 2025.",
    ],
)
def test_notations_of_one_day(text: str) -> None:
    assert parse_date(text) == DAY


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("marts 2021", date(2021, 3, 1)),
        ("sept. 2021", date(2021, 9, 1)),
        ("31. december 2019", date(2019, 12, 31)),
        ("29. februar 2024", date(2024, 2, 29)),
        ("1.1.49", date(2049, 1, 1)),
        ("1.1.99", date(1999, 1, 1)),
    ],
)
def test_months_leap_days_and_short_years(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12. maj",
        "12. maj kl. 19.30",
        "mandag den 12. maj",
        "i marts",
        "2021",
        "30. februar 2021",
        "29. februar 2023",
        "32.01.2021",
        "3.13.2021",
        "0. marts 2021",
        "2021-13-01",
        "3. marts 1994",
        "3. marts 2101",
        "tlf. 12 34 56 78",
        "12.30-14.00",
        "3. martsmåned 2021",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@given(st.dates(date(1995, 1, 1), date(2100, 12, 31)))
def test_every_day_is_read_in_each_full_notation(day: date) -> None:
    month = [
        "januar",
        "februar",
        "marts",
        "april",
        "maj",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "december",
    ][day.month - 1]
    for text in (day.isoformat(), f"{day.day}. {month} {day.year}", f"{day:%d.%m.%Y}", f"{day:%d/%m %Y}"):
        assert parse_date(text) == day


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("Opdateret: 3/3 2021", Dates(None, DAY, "text")),
        ("Sidst opdateret 3. marts 2021 kl. 10.15", Dates(None, DAY, "text")),
        ("Siden er senest opdateret d. 03.03.21.", Dates(None, DAY, "text")),
        ("Sidst revideret marts 2021", Dates(None, date(2021, 3, 1), "text")),
        ("Sidst ændret: onsdag den 3. marts 2021", Dates(None, DAY, "text")),
        ("Publiceret d. 3. marts 2021", Dates(DAY, None, "text")),
        ("Offentliggjort den 3. marts 2021", Dates(DAY, None, "text")),
        ("Dato: 2021-03-03", Dates(DAY, None, "text")),
        ("Publiceret 3. marts 2021. Opdateret 4. maj 2022", Dates(DAY, date(2022, 5, 4), "text")),
        ("3. marts 2021", Dates(DAY, None, "text")),
        ("Onsdag den 3. marts 2021 kl. 14:30", Dates(DAY, None, "text")),
        ("Mødet holdes 3. marts 2021 på rådhuset, og alle er velkomne.", Dates()),
        ("Opdateret 12. maj", Dates()),
        ("Opdateret 31. februar 2021", Dates()),
    ],
)
def test_labels_and_lone_dates_in_the_text(block: str, found: Dates) -> None:
    assert find_dates(["Tryg by", block], URL) == found


def test_a_lone_date_is_not_the_publication_when_the_update_is_stated() -> None:
    assert find_dates(["12. maj 2015", "Opdateret 3. marts 2021"], URL) == Dates(None, DAY, "text")


META = '<meta property="article:published_time" content="2021-03-03T09:00:00+01:00">'
JSON_LD = '<script type="application/ld+json">{"@graph": [{"@type": "WebPage", "dateModified": "2021-03-03"}]}</script>'


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (META, Dates(DAY, None, "meta")),
        (META + '<meta name="DCTERMS.modified" content="2022-05-04">', Dates(DAY, date(2022, 5, 4), "meta")),
        ('<meta name="date" content="snart">' + JSON_LD, Dates(None, DAY, "json_ld")),
        (
            '<script type="application/ld+json">{broken</script><time datetime="2021-03-03">i går</time>',
            Dates(DAY, None, "time"),
        ),
        (
            '<script type="application/ld+json">"text"</script><time>3. marts 2021</time>',
            Dates(DAY, None, "time"),
        ),
        ('<p>Opdateret <time datetime="2021-03-03"></time></p>', Dates(None, DAY, "time")),
        ('<time class="updated" datetime="2021-03-03"></time>', Dates(None, DAY, "time")),
    ],
)
def test_markup_that_states_dates(html: str, found: Dates) -> None:
    assert find_dates([], URL, LexborHTMLParser(html)) == found


def test_markup_is_trusted_before_text_and_text_before_the_address() -> None:
    address, text = f"{URL}/2019/05/nyt", ["Opdateret 4. maj 2022"]
    assert find_dates(text, address, LexborHTMLParser(META + JSON_LD)).source == "meta"
    assert find_dates(text, address, LexborHTMLParser(JSON_LD)).source == "json_ld"
    assert find_dates(text, address, LexborHTMLParser("<p>")).source == "text"
    assert find_dates([], address) == Dates(date(2019, 5, 1), None, "url")


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/2019/", date(2019, 1, 1)),
        ("/nyt/2019/12/", date(2019, 12, 1)),
        ("/2019/13/", None),
        ("/20195/", None),
        ("/1850/", None),
    ],
)
def test_a_year_in_the_address(path: str, day: date | None) -> None:
    assert find_dates([], URL + path).published == day


def test_the_latest_date() -> None:
    assert Dates().latest is None
    assert Dates(published=DAY).latest == DAY
    assert Dates(DAY, date(2022, 1, 1)).latest == date(2022, 1, 1)


# --- notations of the anchors, and dates that are not the page's


@pytest.mark.parametrize(
    ("blocks", "found"),
    [
        (["Sidst revideret marts 2021"], Dates(None, date(2021, 3, 1), "text")),
        (["Senest opdateret: onsdag den 3. marts 2021"], Dates(None, DAY, "text")),
        (["Publiceret d. 03.03.21 kl. 9.15"], Dates(DAY, None, "text")),
        (["Opdateret", "3/3 2021"], Dates(None, DAY, "text")),
        (["Publiceret 3. marts 2021", "Sidst opdateret 4. maj 2022"], Dates(DAY, date(2022, 5, 4), "text")),
        (["Publiceret d. 3. marts"], Dates()),
        (["Dato: 3. marts 2021"], Dates(DAY, None, "text")),
        (["Dato: 3. marts 2021 kl. 19"], Dates()),
        (["Planen gælder 2025-2028 og blev vedtaget af byrådet 3. marts 2021."], Dates()),
        (["Opdateret 3. marts 2027"], Dates()),
        (["Opdateret 3. marts 2027", "Publiceret 3. marts 2021"], Dates(DAY, None, "text")),
    ],
)
def test_danish_notations_and_dates_that_are_not_the_pages(blocks: list[str], found: Dates) -> None:
    assert find_dates(blocks, URL, today=date(2026, 11, 21)) == found


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<meta property="article:published_time" content="2027-03-03">', Dates()),
        ('<meta name="DC.date" content="20210303">', Dates(DAY, None, "meta")),
        ('<div class="event"><time datetime="2021-03-03">3. marts</time></div>', Dates()),
        ('<aside><time datetime="2021-03-03">3. marts</time></aside>', Dates()),
        (
            '<p>Opdateret <time datetime="2022-05-04"></time></p><div><time datetime="2021-03-03"></time></div>',
            Dates(DAY, date(2022, 5, 4), "time"),
        ),
        (
            '<script type="application/ld+json">{"datePublished": "2021-03-03", broken</script>',
            Dates(DAY, None, "json_ld"),
        ),
        ('<span class="date">Trygby, 3. marts 2021</span>', Dates(DAY, None, "text")),
        ('<span class="date">1.3.2021 - 3.3.2021</span>', Dates()),
    ],
)
def test_dates_of_markup_are_the_pages_own(html: str, found: Dates) -> None:
    tree = LexborHTMLParser(f"<body>{html}</body>")
    assert tree.body is not None
    assert find_dates([tree.body.text()], URL, tree, today=date(2026, 11, 21)) == found


@pytest.mark.parametrize(
    ("address", "day"),
    [
        ("/nyt/2021/03/03/titel", DAY),
        ("/nyt/2021-03-03-titel", DAY),
        ("/nyt/20210303-titel", DAY),
        ("/nyt/03-03-2021-titel", DAY),
        ("/strategi-2025-2028", None),
    ],
)
def test_a_day_in_the_address(address: str, day: date | None) -> None:
    assert find_dates([], f"https://www.proeveby.dk{address}", today=date(2026, 11, 21)).published == day


@pytest.mark.parametrize(
    ("text", "only_a_date"),
    [
        ("Opdateret den 3. marts 2021", True),
        ("Publiceret: 03.03.21.", True),
        ("3. marts 2021", False),
        ("Opdateret 3. marts 2021 af byrådet", False),
        ("Tryghed i byen", False),
    ],
)
def test_a_line_that_only_dates_the_page(text: str, only_a_date: bool) -> None:
    assert is_dateline(text) == only_a_date


@given(st.text(max_size=200), st.dates(date(2000, 1, 1), date(2030, 1, 1)))
def test_no_text_gives_a_date_after_today(text: str, today: date) -> None:
    found = find_dates([text, f"Opdateret {text}"], text, today=today).latest
    assert found is None or found <= today
