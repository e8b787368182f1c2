"""From bytes to the page's own text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from fpdf import FPDF

from tryg_assets.domain.crawling.dates import Dates
from tryg_assets.domain.crawling.extract import (
    Block,
    Extracted,
    extract,
    language_of,
    read_html,
    read_text,
    site_furniture,
    word_forms,
)
from tryg_assets.domain.crawling.policy import crawl_policy

POLICY = crawl_policy()
URL = "https://www.proeveby.dk/tryg"
OWN = "<p>Byrådet vil have en tryg midtby for alle.</p>"
OWN_TEXT = "Byrådet vil have en tryg midtby for alle."


def text_of(html: str) -> str:
    return read_html(html, URL, POLICY).text()


@pytest.mark.parametrize(
    "furniture",
    [
        "<nav>Tryg by menu</nav>",
        "<header><p>Tryg Kommune</p></header>",
        "<footer><p>Tryg Kommune, Torvet 1</p></footer>",
        "<aside>Læs også om tryghed</aside>",
        "<script>var tryg = 1;</script>",
        "<style>.tryg {color: red}</style>",
        "<noscript>Tryg uden script</noscript>",
        "<template><p>Tryg skabelon</p></template>",
        "<svg><title>Tryg ikon</title></svg>",
        "<button>Tryg knap</button>",
        "<form><label>Er du tryg?</label></form>",
        '<div role="navigation">Tryg sti</div>',
        '<div role="dialog">Tryg dialog</div>',
        '<div id="CookieConsent"><p>Vi bruger cookies, så du er tryg.</p></div>',
        '<div class="coi-banner cookie-banner"><div><p>Tryg med cookies</p></div></div>',
        '<ol class="breadcrumb"><li>Forside<li>Tryghed</ol>',
        '<div class="related-content">Tryg i nærheden</div>',
        "<p hidden>Tryg skjult</p>",
        '<p aria-hidden="true">Tryg skjult</p>',
        "<!-- tryg kommentar -->",
        '<ul><li><a href="/a">Tryg skolevej</a></li><li><a href="/b">Tryg alderdom</a></li></ul>',
        '<p><a href="/a">Tryg</a> | <a href="/b">Sikker</a></p>',
        "<nav><header><nav><p>Tryg</p></nav></header></nav>",
        '<div class="menu"><div class="menu" id="submenu"><p>Tryg</p></div></div>',
        "<p> \u00a0 </p><p>—</p>",
    ],
)
@pytest.mark.parametrize(
    "frame", ["<body>{}</body>", "<body><main>{}</main></body>", '<body><div id="content">{}</div></body>']
)
def test_what_is_not_the_pages_own_text_is_left_out(furniture: str, frame: str) -> None:
    assert text_of(frame.format(furniture + OWN + furniture)) == OWN_TEXT


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Tryg by</h1><h3>Mål</h3><p>Et mål.</p>", "# Tryg by\n# Mål\nEt mål."),
        (
            "<ul><li>Lys i parken</li><li>Flere <b>natteravne</b></li></ul>",
            "- Lys i parken\n- Flere natteravne",
        ),
        ("<p>Linje et<br>linje to</p>", "Linje et\nlinje to"),
        ("<p>Tryg\n   og\u00a0\u00a0sikker</p>", "Tryg og sikker"),
        ("<p>Tryg<b>hed</b> for <i>alle</i>.</p>", "Tryghed for alle."),
        ("<table><tr><td>2024</td><td>Tryg by</td></tr></table>", "2024\nTryg by"),
        ("<dl><dt>Mål</dt><dd>Tryghed</dd></dl>", "Mål\nTryghed"),
        ("løs tekst<div>i <span>en</span> kasse</div>bagefter", "løs tekst\ni en kasse\nbagefter"),
        ("<header><h1>Tryg by</h1></header><p>Et mål.</p>", "# Tryg by\nEt mål."),
        (
            "<p>Læs hele <a href='/s'>strategien for tryghed</a> som byrådet vedtog i foråret.</p>",
            "Læs hele strategien for tryghed som byrådet vedtog i foråret.",
        ),
        (
            "<p><a href='/x'>Byrådet vedtog i foråret en ny strategi, der skal gøre hele midtbyen tryg om aftenen.</a></p>",
            "Byrådet vedtog i foråret en ny strategi, der skal gøre hele midtbyen tryg om aftenen.",
        ),
        ("<p>Tr&aelig;f &amp; tryghed</p>", "Træf & tryghed"),
        ("<p>tryg\x00hed</p>", "tryghed"),
    ],
)
def test_blocks_headings_and_lists(html: str, text: str) -> None:
    assert text_of(f"<body><main>{html}</main></body>") == text


def test_only_the_main_part_is_read_but_links_are_taken_everywhere() -> None:
    page = read_html(
        f'<body><nav><a href="/om">Om</a></nav><div>Tryg ramme</div><main>{OWN}<a href="#top">op</a></main></body>',
        URL,
        POLICY,
    )
    assert page.text() == OWN_TEXT
    assert page.links == (("/om", "Om"), ("#top", "op"))


@pytest.mark.parametrize("tag", ["span", "form", "x-content", "td"])
def test_the_main_part_may_be_any_element(tag: str) -> None:
    table = ("<table><tr>", "</tr></table>") if tag == "td" else ("", "")
    assert text_of(f'<body>{table[0]}<{tag} id="content">Tryg tekst</{tag}>{table[1]}</body>') == "Tryg tekst"


def test_a_form_around_the_whole_page_is_no_form() -> None:
    assert (
        text_of(f'<body><form id="aspnetForm"><h1>Tryg by</h1>{OWN}</form></body>')
        == f"# Tryg by\n{OWN_TEXT}"
    )


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title>Kommunen</title><h1>Tryg <b>by</b></h1>", "Tryg by"),
        ("<title> Tryg\n by </title><h1> </h1>", "Tryg by"),
        ("<h2>Tryg by</h2>", "Tryg by"),
        ("<p>Tryg by</p>", URL),
    ],
)
def test_the_title(html: str, title: str) -> None:
    assert read_html(html, URL, POLICY).title == title


def test_the_canonical_address_and_the_byline_in_the_footer_are_read() -> None:
    page = read_html(
        f'<link rel="canonical" href="/t"><main>{OWN}</main><footer>Opdateret 3. marts 2021</footer>',
        URL,
        POLICY,
    )
    assert page.canonical == "/t"
    assert page.dates == Dates(None, date(2021, 3, 3), "text")


@pytest.mark.parametrize(
    "html", ["", " ", "\x00", "<html></html>", "<body></body>", "<!doctype html>", "<frameset></frameset>"]
)
def test_a_page_without_anything_has_no_text(html: str) -> None:
    page = read_html(html, URL, POLICY)
    assert (page.text(), page.links, page.title) == ("", (), URL)


def test_a_thousand_nested_divs_are_read() -> None:
    assert (
        text_of("<body>" + "<div>" * 1000 + "Tryg tekst" + "</div>" * 1000 + OWN) == f"Tryg tekst\n{OWN_TEXT}"
    )


def test_broken_markup_is_read() -> None:
    assert text_of("<p>Tryg <b>by<p>uden slut</i><li>punkt <div>og <") == "Tryg by\nuden slut\n- punkt\nog <"


@pytest.mark.parametrize(
    ("header", "body", "kind"),
    [
        ("text/html; charset=utf-8", b"<p>tryg", "html"),
        ("application/xhtml+xml", b"<p>tryg", "html"),
        ("", b"<p>tryg", "html"),
        ("TEXT/PLAIN", b"tryg", "text"),
    ],
)
def test_the_media_type_decides_how_a_body_is_read(header: str, body: bytes, kind: str) -> None:
    page = extract(body, header, URL, POLICY)
    assert page is not None
    assert (page.kind, page.text()) == (kind, "tryg")


@pytest.mark.parametrize("header", ["image/png", "application/json", "application/zip", "video/mp4"])
def test_other_media_types_have_no_text_for_us(header: str) -> None:
    assert extract(b"tryg", header, URL, POLICY) is None


def test_plain_text_has_paragraphs_headings_and_lists() -> None:
    page = read_text(
        "Tryg by\n\nByrådet vil have en tryg\nmidtby for alle.\n# Mål\n- lys i par-\nken\n2. natteravne\n\fSlut",
        URL,
    )
    assert page.title == "Tryg by"
    assert (
        page.text()
        == "Tryg by\nByrådet vil have en tryg midtby for alle.\n# Mål\n- lys i parken\n- natteravne\nSlut"
    )


def test_empty_plain_text() -> None:
    assert read_text(" \n\n", URL) == Extracted(URL, (), kind="text")


def pdf(*pages: str, title: str = "", created: datetime = datetime(2022, 5, 4, tzinfo=UTC)) -> bytes:
    document = FPDF()
    document.set_creation_date(created)
    document.set_font("helvetica", size=12)
    if title:
        document.set_title(title)
    for text in pages:
        document.add_page()
        document.multi_cell(0, text=text)
    return bytes(document.output())


@pytest.mark.parametrize("header", ["application/pdf", "application/octet-stream", "text/html"])
def test_a_pdf_is_read_whatever_the_server_calls_it(header: str) -> None:
    page = extract(pdf("Tryghed på Ærø", "Side to: utryg"), header, URL, POLICY)
    assert page is not None
    assert (page.kind, page.title, page.text()) == ("pdf", "Tryghed på Ærø", "Tryghed på Ærø\nSide to: utryg")
    assert page.dates == Dates(published=date(2022, 5, 4), source="pdf")


def test_a_pdf_has_its_own_title_and_a_date_in_its_text_is_trusted_first() -> None:
    page = extract(
        pdf("Tryghed\n\nVedtaget. Opdateret 3. marts 2021", title="Strategi for tryghed"), "", URL, POLICY
    )
    assert page is not None
    assert page.title == "Strategi for tryghed"
    assert page.dates == Dates(None, date(2021, 3, 3), "text")


def test_lines_of_a_pdf_become_paragraphs() -> None:
    text = "Kommunen vil skabe en tryg midtby, hvor alle kan færdes om aftenen uden at være utrygge. " * 3
    page = extract(pdf(text), "", URL, POLICY)
    assert page is not None
    assert page.blocks == (Block(text.strip()),)


@pytest.mark.parametrize("body", [b"%PDF-1.7 cut off", b"%PDF-", pdf("tryg")[:200]])
def test_a_broken_pdf_is_an_error_with_words(body: bytes) -> None:
    with pytest.raises(ValueError, match="the PDF cannot be"):
        extract(body, "application/pdf", URL, POLICY)


@pytest.mark.parametrize("stated", [b"D:20221399", b"D:00000000"])
def test_a_pdf_with_an_impossible_date_of_creation_is_still_read(stated: bytes) -> None:
    body = pdf("tryg").replace(b"D:20220504", stated)
    assert stated in body
    page = extract(body, "", URL, POLICY)
    assert page is not None
    assert (page.text(), page.dates) == ("tryg", Dates())


def pages(*texts: tuple[str, ...], kind: str = "html") -> list[Extracted]:
    return [Extracted("t", tuple(Block(text) for text in blocks), kind=kind) for blocks in texts]


def test_a_block_on_many_pages_is_site_furniture() -> None:
    site = pages(*[("Tryg kommune", "Tryg kommune", f"Side {number}") for number in range(5)])
    assert site_furniture(site, POLICY) == {"Tryg kommune"}
    assert site[0].text(without=site_furniture(site, POLICY)) == "Side 0"


def test_a_block_on_three_pages_or_on_few_of_many_is_not() -> None:
    assert site_furniture(pages(*[("Tryg kommune",)] * 3), POLICY) == frozenset()
    assert (
        site_furniture(
            pages(*[("Tryg kommune",)] * 5, *[(f"Side {number}",) for number in range(15)]), POLICY
        )
        == frozenset()
    )


def test_documents_do_not_make_furniture() -> None:
    assert site_furniture(pages(*[("Tryg kommune",)] * 5, kind="pdf"), POLICY) == frozenset()


def test_word_forms_are_counted_in_lower_case_most_frequent_first() -> None:
    text = "Tryghed er tryghed. UTRYG i et tryg-hedsprojekt, blodtryk, Tryg\u00adhed; ingen stamme: tyg"
    forms = word_forms(text, POLICY)
    assert list(forms.items()) == [("tryghed", 3), ("blodtryk", 1), ("tryg-hedsprojekt", 1), ("utryg", 1)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kommunen arbejder for at skabe tryghed i hverdagen for alle borgere.", "da"),
        ("The municipality works to make everyday life safe for all citizens.", "en"),
        ("Die Gemeinde sorgt für Sicherheit im Alltag aller Bürgerinnen und Bürger.", "de"),
        ("Gmina dba o bezpieczeństwo wszystkich mieszkańców na co dzień.", "pl"),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert language_of(text, POLICY) == language


def test_a_hyphen_at_the_end_of_a_line_goes_unless_the_next_word_shares_it() -> None:
    page = extract("tryg-\nhed for børne-\nog ungeområdet".encode(), "text/plain; charset=utf-8", URL, POLICY)
    assert page is not None
    assert page.text() == "tryghed for børne- og ungeområdet"


def test_space_and_larger_letters_part_the_paragraphs_of_a_pdf() -> None:
    document = FPDF()
    document.add_page()
    for size, text in ((18, "Tryg i byen"), (11, "Første afsnit. " * 12), (11, "Andet afsnit.")):
        document.set_font("Helvetica", size=size)
        document.multi_cell(0, size * 0.5, text.strip(), new_x="LMARGIN", new_y="NEXT")
        document.ln(4)
    page = extract(bytes(document.output()), "application/pdf", URL, POLICY)
    assert page is not None
    assert [(block.prefix, block.text) for block in page.blocks] == [
        ("# ", "Tryg i byen"),
        ("", ("Første afsnit. " * 12).strip()),
        ("", "Andet afsnit."),
    ]
