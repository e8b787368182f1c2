"""From bytes to the page's own text."""

from __future__ import annotations

import html as html_module
import io
import re
import struct
import time
import zipfile
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime

import docx
import pytest
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.crawling.dates import Dates
from tryg_assets.domain.crawling.documents import WORD, Unreadable
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
        ("<table><tr><td>2024</td><td>Tryg by</td></tr></table>", "2024 | Tryg by"),
        (
            "<table><tr><th>År</th><th>Beløb</th></tr><tr><td>2024</td><td>1.000 kr.</td></tr></table>",
            "År | Beløb\n2024 | 1.000 kr.",
        ),
        ("<table><tr><td><p>Et.</p><p>To.</p></td><td>Tre.</td></tr></table>", "Et.\nTo.\nTre."),
        (
            "<details><summary>Hvem kan få hjælp?</summary><p>Alle borgere.</p></details>",
            "# Hvem kan få hjælp?\nAlle borgere.",
        ),
        (
            '<h3><button aria-expanded="false">Hvem?</button></h3><div class="accordion-body" hidden><p>Alle.</p></div>',
            "# Hvem?\nAlle.",
        ),
        ('<div role="tabpanel" aria-hidden="true"><p>Alle.</p></div>', "Alle."),
        ('<div style="display: none"><p>Skjult.</p></div><p>Vist.</p>', "Vist."),
        (
            "<article><header><h1>Tryg by</h1><p>Et lead.</p></header><p>Et mål.</p></article>",
            "# Tryg by\nEt lead.\nEt mål.",
        ),
        (
            "<h2>Læs også</h2><ul><li><a href='/a'>Andet</a></li></ul><h2>Kontakt</h2><p>Ring 12.</p>",
            "# Kontakt\nRing 12.",
        ),
        ("<p>Ring <span class='share'>del</span> i dag.</p>", "Ring i dag."),
        ("<p>tryg\u00adhed</p>", "tryghed"),
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
        ("<title>Tryg by | Prøveby Kommune</title>", "Tryg by"),
        ("<title>Prøveby Kommune - Tryg by</title>", "Tryg by"),
        ("<title>Prøveby Kommune</title>", "Prøveby Kommune"),
        ('<meta property="og:site_name" content="Prøveby"><title>Tryg by – Prøveby</title>', "Tryg by"),
        ("<title>Tryg by - mål og midler</title>", "Tryg by - mål og midler"),
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
    assert read_text(" \n\n", URL) == Extracted(URL, (), kind="text", wall="empty")


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


LONG = "<p>" + "Kommunen vil skabe en tryg midtby for alle, der færdes der om aftenen. " * 4 + "</p>"


@pytest.mark.parametrize(
    "frame",
    [
        '<body class="cookie-not-accepted">{}</body>',
        '<body><div class="page with-sidebar"><h1>Tryg by</h1>{}</div></body>',
        '<body><div class="menu-open">{}</div></body>',
        '<body><main><div class="widget">{}</div><div class="widget">{}</div></main></body>',
    ],
)
def test_a_word_for_furniture_on_the_frame_of_the_page_does_not_empty_it(frame: str) -> None:
    assert "tryg midtby" in text_of(frame.replace("{}", LONG))


def test_the_running_text_is_found_where_its_author_says_it_is() -> None:
    teaser = "<div><p>Læs om et helt andet emne på en anden side, som ingen har bedt om her.</p></div>"
    page = f'<body>{teaser}<article><div class="article-body">{LONG}</div><div class="related">{teaser}</div></article></body>'
    assert "andet emne" not in text_of(page)


def test_the_breadcrumb_is_kept_but_is_no_text() -> None:
    page = read_html(
        f'<body><ol class="breadcrumb"><li><a href="/">Forside</a></li><li>Tryghed</li></ol><main>{OWN}</main></body>',
        URL,
        POLICY,
    )
    assert (page.breadcrumb, page.text()) == (("Forside", "Tryghed"), OWN_TEXT)


@pytest.mark.parametrize(
    ("html", "wall"),
    [
        ("", "empty"),
        ("<script>var tryg</script>", "empty"),
        ("<h1>Siden findes ikke</h1><p>Prøv søgefeltet.</p>", "soft_404"),
        ("<title>404</title><p>Ups.</p>", "soft_404"),
        (f"<h1>Når siden findes ikke</h1>{LONG * 10}", None),
        ("<h1>Log ind</h1><form><input type='password'></form><p>Brug din adgangskode.</p>", "login_wall"),
        ("<p>Du skal logge ind med MitID for at se siden.</p>", "login_wall"),
        ("<p>Book tid: brug MitID på borger.dk.</p>", None),
        ("<p>Du skal acceptere cookies for at se indholdet.</p>", "cookie_wall"),
        ("<p>You need to enable JavaScript to run this app.</p>", "needs_javascript"),
        ("<noscript>Siden kræver JavaScript.</noscript>", "needs_javascript"),
        ('<div id="root"></div>', "needs_javascript"),
        (f'<div id="root">{LONG}</div>', None),
        (f"<body><noscript>Siden kræver JavaScript.</noscript>{LONG}", None),
        ("<ul><li><a href='/a'>Kun</a></li><li><a href='/b'>henvisninger</a></li></ul>", None),
    ],
)
def test_a_wall_in_front_of_the_text_is_named(html: str, wall: str | None) -> None:
    assert read_html(html, URL, POLICY).wall == wall


# --- hostile pages: bounded, and what can be read is read


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<div>" * 100_000 + "tryg", id="100,000 levels"),
        pytest.param("<table><tr><td>" * 20_000 + "tryg", id="tables in tables"),
        pytest.param(
            "".join(f"<b id={n}>" for n in range(5_000)) + "<p>tryg" * 5_000, id="unclosed formatting"
        ),
        pytest.param("<p " + " ".join(f"a{n}=1" for n in range(100_000)) + "></p><p>tryg", id="attributes"),
        pytest.param("<p>tryg</p>" + "<" * 2_000_000, id="tags that never begin"),
        pytest.param("<p>tryg" + "\x00" * 1_000_000, id="null bytes"),
        pytest.param("<p>tryg <time>3. marts 2021</time>" * 10_000, id="dates"),
        pytest.param(
            '<script type="application/ld+json">' + "[" * 500_000 + "</script><p>tryg", id="JSON-LD"
        ),
        pytest.param("<p>tryg " + "&lt;&amp;" * 200_000, id="entities"),
        pytest.param(f'<p class="{"cookie-" * 100_000}x">nej</p><p>tryg', id="a class without end"),
    ],
)
def test_hostile_markup_is_read_in_bounded_time(html: str) -> None:
    started = time.process_time()
    page = read_html(html, URL, POLICY)
    assert time.process_time() - started < 10
    assert "tryg" in page.text()


def test_a_page_beyond_the_limit_is_cut_and_says_so() -> None:
    limit = POLICY.documents.html_characters
    page = read_html("<p>tryg</p>" + "x" * limit + "<p>slut</p>", URL, POLICY)
    assert "slut" not in page.text()
    assert page.note == f"only the first {limit} characters were read"


def test_a_picture_written_into_a_page_does_not_count() -> None:
    picture = "data:image/png;base64," + "A" * POLICY.documents.html_characters
    page = read_html(f'<p>tryg</p><img src="{picture}"><p>slut</p>', URL, POLICY)
    assert (page.text(), page.note) == ("tryg\nslut", None)


_PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<div class='menu'>",
        "</div>",
        "<a href=x>",
        "</a>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<li>",
        "<b",
        ">",
        "&amp;",
        "&",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<h1>",
        "</h1>",
        "<main>",
        "</main>",
        "<button>",
        "tryg ",
        '"',
        "<svg>",
        "</svg>",
        "<br>",
        "=",
    ]
)


@given(st.lists(_PIECES, max_size=40))
def test_any_markup_gives_one_line_blocks_without_tags_of_ours(pieces: list[str]) -> None:
    page = read_html("".join(pieces), URL, POLICY)
    for text, prefix in page.blocks:
        assert text == " ".join(text.split()) != ""
        assert prefix in ("", "# ", "- ")
        assert "<td" not in text


@given(st.text(max_size=200))
def test_text_put_in_a_paragraph_comes_back(text: str) -> None:
    kept = " ".join(text.replace("\x00", "").replace("\u00ad", "").replace("\r", "\n").split())
    escaped = html_module.escape(text)
    got = text_of(f"<body><main><p>{escaped}</p></main></body>")
    assert got == (kept if re.search(r"\w", kept) else "")


# --- documents


def word(*paragraphs: tuple[str, str], table: tuple[tuple[str, ...], ...] = ()) -> bytes:
    document = docx.Document()
    document.core_properties.modified = datetime(2023, 5, 4)
    for style, text in paragraphs:
        document.add_paragraph(text, style=style)
    if table:
        grid = document.add_table(rows=0, cols=len(table[0]))
        for values in table:
            for cell, value in zip(grid.add_row().cells, values, strict=True):
                cell.text = value
    body = io.BytesIO()
    document.save(body)
    return body.getvalue()


@pytest.mark.parametrize(
    "header",
    ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/octet-stream"],
)
def test_a_word_document_is_read_in_its_order(header: str) -> None:
    body = word(
        ("Heading 1", "Tryg by"),
        ("Normal", "Et mål."),
        ("List Bullet", "natteravne"),
        table=(("År", "Beløb"), ("2024", "1.000")),
    )
    page = extract(body, header, URL, POLICY)
    assert page is not None
    assert page.text() == "# Tryg by\nEt mål.\n- natteravne\nÅr | Beløb\n2024 | 1.000"
    assert (page.kind, page.title, page.dates) == ("docx", "Tryg by", Dates(None, date(2023, 5, 4), "docx"))


def test_a_word_document_that_unpacks_without_bound_is_not_unpacked() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("word/document.xml", b"0" * (POLICY.documents.unpacked_bytes + 1))
    with pytest.raises(Unreadable, match="unpacks to more than") as caught:
        extract(body.getvalue(), "", URL, POLICY)
    assert caught.value.outcome == "too_large"


@pytest.mark.parametrize("body", [b"PK\x03\x04word/document.xml", word(("Normal", "tryg"))[:-200]])
def test_a_broken_word_document_is_an_error_with_words(body: bytes) -> None:
    with pytest.raises(Unreadable, match="the Word document cannot be read") as caught:
        extract(body, WORD, URL, POLICY)
    assert caught.value.outcome == "damaged"


def test_old_word_documents_have_no_text_for_us() -> None:
    assert extract(b"\xd0\xcf\x11\xe0tryg", "application/msword", URL, POLICY) is None


def test_a_pdf_with_a_password_is_named() -> None:
    document = FPDF()
    document.set_encryption(owner_password="a", user_password="b")
    document.add_page()
    with pytest.raises(Unreadable, match="the PDF cannot be opened") as caught:
        extract(bytes(document.output()), "", URL, POLICY)
    assert caught.value.outcome == "encrypted"


def picture() -> bytes:
    row = b"\x00" + b"\xff" * 8
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 8)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def scan(pages: int, text: str = "") -> bytes:
    document = FPDF()
    document.set_font("helvetica", size=12)
    for _ in range(pages):
        document.add_page()
        document.image(io.BytesIO(picture()), w=100)
    if text:
        document.add_page()
        document.multi_cell(0, text=text)
    return bytes(document.output())


@pytest.mark.parametrize(
    ("body", "wall", "text", "note"),
    [
        (scan(2), "scanned", "", "2 of 2 pages are pictures without text"),
        (scan(2, "Tryg by"), None, "Tryg by", "2 of 3 pages are pictures without text"),
    ],
)
def test_scanned_pages_are_named_and_counted(body: bytes, wall: str | None, text: str, note: str) -> None:
    page = extract(body, "", URL, POLICY)
    assert page is not None
    assert (page.wall, page.text(), page.note) == (wall, text, note)


def test_pages_beyond_the_limit_are_not_read_and_that_is_said() -> None:
    policy = replace(POLICY, documents=replace(POLICY.documents, pages=1))
    page = extract(pdf("Tryghed", "Side to"), "", URL, policy)
    assert page is not None
    assert (page.text(), page.note) == ("Tryghed", "only the first 1 of 2 pages were read")


def test_a_table_in_a_pdf_has_a_line_for_each_row() -> None:
    document = FPDF()
    document.set_font("helvetica", size=11)
    document.add_page()
    document.multi_cell(0, text="Midler til en tryg midtby:", new_x="LMARGIN", new_y="NEXT")
    for row in (
        ("Projekt", "2024", "2025"),
        ("Lys i parken", "1.000", "2.000"),
        ("Natteravne", "300", "400"),
    ):
        for value in row:
            document.cell(50, 8, value)
        document.ln()
    page = extract(bytes(document.output()), "", URL, POLICY)
    assert page is not None
    assert page.text().split("\n") == [
        "Midler til en tryg midtby:",
        "Projekt | 2024 | 2025",
        "Lys i parken | 1.000 | 2.000",
        "Natteravne | 300 | 400",
    ]


def test_a_document_without_a_date_is_dated_by_its_server_unless_that_names_the_moment_of_asking() -> None:
    stated = "Wed, 03 Mar 2021 09:15:00 GMT"
    undated = pdf("Tryghed").replace(b"/CreationDate", b"/CreationDaty")
    for today, found in (
        (date(2026, 1, 1), Dates(None, date(2021, 3, 3), "header")),
        (date(2021, 3, 3), Dates()),
    ):
        page = extract(undated, "", URL, POLICY, last_modified=stated, today=today)
        assert page is not None
        assert page.dates == found
