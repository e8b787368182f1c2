"""Which charset is believed, and what is mended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.crawling.charset import decode

HTML = "text/html; charset=utf-8"
TEXT = "Tryghed på Ærø – ål"
UTF8, CP1252 = TEXT.encode(), TEXT.encode("cp1252")
META = b'<meta charset="windows-1252">'


@pytest.mark.parametrize(
    ("body", "header", "text"),
    [
        pytest.param(UTF8, HTML, TEXT, id="header"),
        pytest.param(CP1252, 'text/html; charset="Windows-1252"', TEXT, id="header in quotes"),
        pytest.param(META + UTF8, HTML, META.decode() + TEXT, id="header before meta"),
        pytest.param(
            b"\xef\xbb\xbf" + META + UTF8, "text/html", META.decode() + TEXT, id="byte order mark before meta"
        ),
        pytest.param(b"\xef\xbb\xbf" + UTF8, HTML, TEXT, id="the byte order mark is no text"),
        pytest.param(META + CP1252, "text/html", META.decode() + TEXT, id="meta"),
        pytest.param(UTF8, "text/html", TEXT, id="nothing stated, valid UTF-8"),
        pytest.param(CP1252, "", TEXT, id="nothing stated, detected"),
        pytest.param(CP1252, "text/html; charset=iso-8859-1", TEXT, id="ISO-8859-1 is Windows-1252"),
        pytest.param(CP1252, "text/html; charset=ISO8859-1", TEXT, id="in any spelling"),
        pytest.param(CP1252, "text/html; charset=us-ascii", TEXT, id="ASCII is Windows-1252"),
        pytest.param(UTF8, "text/html; charset=klingon", TEXT, id="unknown charset"),
        pytest.param(
            META + CP1252, "text/html; charset=klingon", META.decode() + TEXT, id="unknown charset, then meta"
        ),
        pytest.param(UTF8, "text/html; charset=hex", TEXT, id="a codec that is no charset"),
        pytest.param(UTF8, "text/html; charset=idna", TEXT, id="a codec that cannot replace"),
        pytest.param(UTF8, "text/html; charset=æ", TEXT, id="a charset no codec could have"),
        pytest.param(
            b"tr\x9dyg",
            "text/html; charset=windows-1252",
            "tr\ufffdyg",
            id="what cannot be decoded is marked",
        ),
        pytest.param(CP1252, HTML, TEXT, id="a header that lies: no UTF-8"),
        pytest.param(UTF8, "text/html; charset=iso-8859-1", TEXT, id="a header that lies: UTF-8"),
        pytest.param(META + UTF8, "text/html", META.decode() + TEXT, id="a meta that lies"),
        pytest.param(UTF8 * 9 + CP1252, HTML, TEXT * 10, id="single bytes of Windows-1252 in UTF-8"),
        pytest.param(TEXT.encode("utf-16"), "text/html", TEXT, id="UTF-16 by its byte order mark"),
        pytest.param(TEXT.encode("utf-16"), HTML, TEXT, id="UTF-16 called UTF-8"),
        pytest.param(TEXT.encode("mac_roman"), "", TEXT, id="an old Mac"),
        pytest.param("Blåbærgrød på Ærø".encode("cp850"), "", "Blåbærgrød på Ærø", id="DOS"),
        pytest.param("på €".encode("iso8859-15"), "text/html; charset=iso-8859-15", "på €", id="ISO-8859-15"),
        pytest.param(UTF8.decode("cp1252").encode(), HTML, TEXT, id="encoded twice"),
        pytest.param("Ã er et bogstav".encode(), HTML, "Ã er et bogstav", id="a letter that is meant"),
        pytest.param(b"", "", "", id="empty"),
    ],
)
def test_bodies_are_decoded(body: bytes, header: str, text: str) -> None:
    assert decode(body, header) == text


@given(
    st.binary(max_size=300),
    st.sampled_from([HTML, "", "text/html; charset=latin1", "text/html; charset=utf-16"]),
)
def test_any_bytes_give_text(body: bytes, header: str) -> None:
    assert isinstance(decode(body, header), str)


@given(st.text(alphabet="abcæøåÆØÅé .", min_size=1), st.sampled_from(["utf-8", "cp1252"]))
def test_danish_text_comes_back_whatever_is_stated(text: str, charset: str) -> None:
    body = text.encode(charset)
    assert decode(body, HTML) == text
    assert decode(body, "text/html; charset=iso-8859-1") == text
