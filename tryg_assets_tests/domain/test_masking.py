"""Personal numbers and addresses are masked; years, amounts, dates and case numbers stay readable."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.coding.claude.masking import mask, masked_page, published
from tryg_assets.domain.coding.interface import Page


@pytest.mark.parametrize(
    "number",
    [
        "010190-1234",
        "010190 1234",
        "0101901234",
        "010190–1234",
        "010190 - 1234",
        "01 01 90 1234",
        "01-01-90-1234",
        "010190\u00a01234",
        "311299-9999",
        "610190-1234",  # a substitute number: day + 60
        "010190\u20111234",  # the hyphen that does not break
        "010190\u22121234",  # the minus sign
        "010190\u20141234",
        "010190\u00ad-1234",
        "0101\u200b90-1234",
        "\uff10\uff11\uff10\uff11\uff19\uff10-1234",  # wide digits
        "010190/1234",
        "010190_1234",
        "01/01/90-1234",
        "01-01-1990-1234",
        "01.01.1990-1234",
        "010190-12 34",
        "0101 90-1234",
        "0 1 0 1 9 0 1 2 3 4",
    ],
)
def test_a_cpr_number_is_masked_however_it_is_written(number: str) -> None:
    found = mask(f"Borgeren {number} har fået svar.")
    assert found.text == "Borgeren [CPR] har fået svar."
    assert found.counts == {"cpr": 1}


@pytest.mark.parametrize("number", ["451399-1234", "000000-0000", "9999999999"])
def test_a_number_that_is_no_date_is_a_cpr_number_only_where_the_text_says_so(number: str) -> None:
    assert mask(f"CPR-nr. {number}").text == "CPR-nr. [CPR]"
    assert mask(f"Personnummer: {number}").text == "Personnummer: [CPR]"
    assert "[CPR]" not in mask(f"Referencen er {number}").text


@pytest.mark.parametrize(
    "number",
    [
        "86123456",
        "86 12 34 56",
        "8612 3456",
        "861 23 456",
        "861 234 56",
        "86 123 456",
        "86 123456",
        "86-12-34-56",
        "86.12.34.56",
        "8612-3456",
        "86\u00a012\u00a034\u00a056",
        "+45 86 12 34 56",
        "+4586123456",
        "(+45) 8612 3456",
        "+45-86123456",
        "0045 86 12 34 56",
        "004586123456",
        "45 86 12 34 56",
        "4586123456",
        "+46 70 123 45 67",
        "+47 22 12 34 56",
        "0046 70 123 45 67",
        "004681234567",
        "86\u201112\u201134\u201156",
        "86\u221212\u221234\u221256",
        "86\u200b12\u200b34\u200b56",
        "86\u00ad123456",
        "86/12/34/56",
        "86 · 12 · 34 · 56",
        "86\u202212\u202234\u202256",
        "86_12_34_56",
        "8612 34 56",
        "86 12 3456",
        "8 6 1 2 3 4 5 6",
    ],
)
def test_a_telephone_number_is_masked_however_its_digits_are_grouped(number: str) -> None:
    found = mask(f"Ring til Jens Hansen på {number}. Vi svarer.")
    assert found.text == "Ring til Jens Hansen på [telefon]. Vi svarer."
    assert found.counts == {"telefon": 1}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Tlf.: 20.30.22.00", "Tlf.: [telefon]"),
        ("Telefon 8900 4000", "Telefon [telefon]"),
        # In doubt a number is masked: a row of a table can look like one.
        ("Brugere 69 68 45 51", "Brugere [telefon]"),
        ("telefonnummer er 2024 2025", "telefonnummer er [telefon]"),
        ("tlf86123456", "tlf[telefon]"),
        ("Tlf 86123456Mobil 20123456", "Tlf [telefon]Mobil [telefon]"),
        ("Mobil: 2 12 34 56 7", "Mobil: [telefon]"),
        ("86 12 34 56 / 87 12 34 56", "[telefon] / [telefon]"),
        ("86123456/87123456", "[telefon]/[telefon]"),
        ("86 12 34 56 - 87 12 34 56", "[telefon] - [telefon]"),
        ("8000 Aarhus C, 86 12 34 56", "8000 Aarhus C, [telefon]"),
        ("I 2024 86 12 34 56", "I 2024 [telefon]"),
        ("010190-1234, 86 12 34 56", "[CPR], [telefon]"),
        ("SMS til 20241231", "SMS til [telefon]"),
        ("kontakt 12 34 56 78", "kontakt [telefon]"),
        ("Telefonnummeret til os er 12345678", "Telefonnummeret til os er [telefon]"),
        ("Telefon: 0046 70 12 34 567", "Telefon: [telefon]"),
        ("Tlf. 2012-2034", "Tlf. [telefon]"),
        ("Kontakt os: CVR 55133018", "Kontakt os: CVR 55133018"),
        ("Kon\u00adtakt Pe\u00adter på 86 12 34 56\u00b9", "Kon\u00adtakt Pe\u00adter på [telefon]\u00b9"),
    ],
)
def test_words_and_neighbours_tell_what_a_number_is(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "Strategi for tryghed 2025-2028",
        "Budget 2024 2025 2026 2027",
        "Planen gælder 2025 2026.",
        "Der er afsat 12.345.678 kr.",
        "Der er afsat 25 345 678 kr. til lys.",
        "Det koster 25345678 kroner.",
        "kr. 25345678",
        "25.345.678,50",
        "Beløb: 45 123 456 789",
        "Mellem 2000-4000 borgere",
        "Mobilitetsplan 2026-2038",
        "Brugere 4200 4400 4400",
        "Ringkøbing 2025-2026",
        "Sagsnr. 24/12345",
        "Sag 24/12345678",
        "Sagsnummer 24-12345678",
        "Sagsnr. 20123456",
        "J.nr. 20123456",
        "CVR-nr. 55133018",
        "CVR 55133018",
        "DK55133018",
        "EAN 5798003749012",
        "5798003749012",
        "8000 Aarhus C",
        "Mødet er 24.12.2025 kl. 19.30",
        "24-12-2025",
        "2025-12-24",
        "20251224",
        "Åbent 20.30-22.00",
        "Lukket 24.12-26.12",
        "Åbent kl. 9-12 og 13-15.",
        "23 24 25 26 27 28",
        "Alarm 112, 114 eller 1813",
        "Ring 112",
        "Side 3 af 24",
        "Det er 23,5 % af 86.123 borgere",
        "Matrikel 12345678",
        "86123456/2",
        "jf. lovbekendtgørelse nr. 1089 af 16. august 2023, § 12, stk. 3",
        "LBK nr. 123 af 24/01/2024",
        "Lov nr. 1580 af 27-12-2019",
        "§§ 115-118 og § 42 a",
        "Den 24/12/2025 kl. 19.30-21.00",
        "den 24/12/25 19-21",
        "Skoleårene 22/23 23/24 24/25",
        "2022/2023",
        "2023/4455",
        "2024-2025/2026",
        "Budget 22 23 24 25",
        "Point 2 3 4 5 6 7 8 9",
        "24 12 2025",
        "2025 12 24",
        "Journalnummer 00123456789",
        "5700 Svendborg - 5750 Ringe",
        "GPS 55.6761, 12.5683",
        "12.345.678 m2 og 1.234 boliger",
        "2.000-4.000 unge i 2024/2025",
        "fordelt 40/60 i 2024",
        "ISBN 978-87-92426-12-3",
        "Løb 5/10/21 km",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text).text == text
    assert mask(text).counts == {}


@pytest.mark.parametrize(
    "address",
    [
        "tryghed@aarhus.dk",
        "jens.hansen@by.kommune.dk",
        "Søren-Åge_2@blåvand.dk",
        "navn @ kommune.dk",
        "navn(at)kommune.dk",
        "navn [snabela] kommune.dk",
        "navn(a)kommune.dk",
        "navn (a) kommune.dk",
        "navn{at}kommune.dk",
        "navn(at)kommune(dot)dk",
        "navn [at] kommune [dot] dk",
        "navn snabel-a kommune punktum dk",
        "navn -at- kommune.dk",
        "navn @ kommune . dk",
        "navn\u00a0@\u00a0kommune.dk",
        "navn\uff20kommune.dk",
        "navn\u200b@kommune.dk",
        "lars\u200b.hansen@kom\u00admune.dk",
        "re\u0301ne@kommune.dk",
        "o'neil@kommune.dk",
        "navn%40kommune.dk",
    ],
)
def test_an_e_mail_address_is_masked_and_the_full_stop_after_it_stays(address: str) -> None:
    found = mask(f"Skriv til {address}. Vi svarer.")
    assert found.text == "Skriv til [e-mail]. Vi svarer."
    assert found.counts == {"e-mail": 1}


@pytest.mark.parametrize(
    "text",
    [
        "Han oplyser, at borger.dk er nede.",
        "Følg os @ rådhuset",
        "Punkt (a) og (b) i aftalen.",
        "Mødet (at drøfte tryghed) er åbent.",
        "Læs mere på aarhus.dk.",
        "forebyggende og ops@gende arbejde",
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert mask(text).text == text


def test_what_is_not_masked_stays_as_it_is_spelled() -> None:
    text = "Tryg\u00adheds\u2011plan \u2013 ”2025\u22122028”\u00a0m\u00b2: ring 86\u00a012\u00a034\u00a056"
    assert mask(text).text == text.replace("86\u00a012\u00a034\u00a056", "[telefon]")


@pytest.mark.parametrize(
    "piece", ["22 ", "1 ", "0046 ", "tlf 12 ", "a@", "a.", "a (a) ", "010190-", "MetteHansen"]
)
def test_a_long_row_of_anything_takes_no_longer_than_its_length(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        published(piece * count)
        return time.process_time() - started

    seconds(100)
    assert seconds(4000) < 40 * seconds(400) + 0.5, "ten times the length, far from a hundred times the time"


def test_a_page_keeps_its_sentence_numbers_and_what_was_masked_is_counted() -> None:
    text = (
        "# Kontakt 86 12 34 56\nRing nu. 86 12 34 56 er nummeret. Info@aarhus.dk virker.\n- Jens 010190-1234"
    )
    page = Page.of("p", "aarhus", "http://x", "Ring 86123456", text)
    masked, counts = masked_page(page)
    assert len(masked.sentences) == len(page.sentences)
    assert [(s.block, s.heading, s.item) for s in masked.sentences] == [
        (s.block, s.heading, s.item) for s in page.sentences
    ]
    assert masked.title == "Ring [telefon]"
    assert counts == {"telefon": 3, "e-mail": 1, "cpr": 1}
    assert not re.search(r"\d{2}", " ".join(s.text for s in masked.sentences))


def test_in_what_is_published_names_of_persons_are_masked_too_and_counted() -> None:
    found = published("Ring til Mette Hansen på 86 12 34 56, siger borgmester Bo Larsen.")
    assert found.text == "Ring til [navn] på [telefon], siger borgmester [navn]."
    assert found.counts == {"navn": 2, "telefon": 1}
    assert published(found.text).text == found.text


DANISH = st.text(
    st.sampled_from("0123456789 .-–/()+,@·_\n\u00a0\u00ad\u200b\u2011abcæøå") | st.characters(codec="utf-8"),
    max_size=60,
)
PIECES = st.lists(
    st.sampled_from(
        [
            "010190-1234",
            "86 12 34 56",
            "+45",
            "45",
            "tlf. ",
            "CPR ",
            "kr.",
            "a@b.dk",
            "@c.dk",
            " ",
            "-",
            ".",
            "/",
            "·",
            "\u00ad",
            "(a)",
            "0046",
            "2025",
            "12",
            "\n",
            "Ring. ",
        ]
    ),
    max_size=12,
).map("".join)


@given(DANISH | PIECES)
def test_masking_twice_is_masking_once_and_no_line_is_lost(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once
    assert once.count("\n") == text.count("\n")


@given(st.dates().map(lambda day: f"{day:%d%m%y}"), st.integers(0, 9999), st.sampled_from(["", "-", " "]))
def test_no_civil_registration_number_survives(date: str, serial: int, gap: str) -> None:
    number = f"{date}{gap}{serial:04}"
    assert mask(f"Han har {number}, siger han").text == "Han har [CPR], siger han"


@given(
    st.integers(20_000_000, 99_999_999),
    st.sampled_from(["{}{}{}{}", "{} {} {} {}", "{}{} {}{}", "{}-{}-{}-{}"]),
)
def test_no_telephone_number_survives_after_its_word(number: int, form: str) -> None:
    digits = str(number)
    written = form.format(*(digits[at : at + 2] for at in range(0, 8, 2)))
    assert mask(f"Tlf. {written}").text == "Tlf. [telefon]"
