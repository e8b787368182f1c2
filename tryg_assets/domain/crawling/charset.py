"""From bytes to text: what the server, the bytes and the page say about the charset, believed as far as the bytes agree."""

from __future__ import annotations

import codecs
import re

_STATED = re.compile(r"charset=[\"']?([\w\-]+)", re.IGNORECASE)
_META = re.compile(
    rb"<(?:meta[^>]{0,200}charset|\?xml[^>]{0,200}encoding)=[\"']?\s*([a-zA-Z0-9_\-]+)", re.IGNORECASE
)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_META_WITHIN = 4096  # bytes; the HTML Standard looks at 1024, but Danish systems put scripts first
_SAMPLE = 65536
_MOST_MENDED = 100_000
# Non-ASCII letters of Danish text by how the legacy charsets of Windows, old Macs and DOS write them.
_LEGACY = ("cp1252", "mac_roman", "cp850")
_DANISH = frozenset("æøåÆØÅéÉäöüÄÖÜ§°´«»–—’‘”“…•")
# UTF-8 read as Windows-1252 and written as UTF-8 again: "Ã¸" for "ø".
_TWICE = re.compile("[Â-ô][\u0080-\u00bfŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]{1,3}")


def decode(body: bytes, content_type_header: str) -> str:
    """Turn a body into text: charset of the header, then byte order mark, then ``meta``, then detection.

    A stated charset that the bytes contradict is passed over: UTF-8 that is none, or a legacy charset on bytes that are
    valid UTF-8 with more than ASCII. ISO-8859-1 is read as Windows-1252, as the WHATWG Encoding Standard demands.
    Single bytes of Windows-1252 in UTF-8 and text encoded twice are mended; what no charset explains becomes U+FFFD.
    """
    for name in (
        _first(_STATED, content_type_header),
        next((name for mark, name in _BOMS if body.startswith(mark)), None),
        _first(_META, body[:_META_WITHIN]),
        "utf-8",
    ):
        if name and (text := _as(body, name)) is not None:
            return _mend(text.removeprefix("\ufeff"))
    return _mend(body.decode(_legacy(body[:_SAMPLE]), errors="replace"))


def _first(pattern: re.Pattern[str] | re.Pattern[bytes], where: str | bytes) -> str | None:
    match = pattern.search(where)  # type: ignore[arg-type]
    if match is None:
        return None
    found = match.group(1)
    return found if isinstance(found, str) else found.decode("ascii")


def _as(body: bytes, name: str) -> str | None:
    """Return the body read in charset ``name``, or ``None`` if there is no such charset or the bytes contradict it."""
    try:
        codec = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        return None
    if codec in ("utf-8", "utf-8-sig"):
        return _utf8(body)
    if codec in ("iso8859-1", "ascii"):
        codec = "cp1252"
    if not codec.startswith("utf") and not body.isascii():
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    # LookupError also for codecs that are no text encodings (hex), UnicodeError for those that cannot replace (idna).
    try:
        return body.decode(codec, errors="strict" if codec.startswith("utf") else "replace")
    except (LookupError, UnicodeError):
        return None


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", errors=_STRAY)
    strays = len(body) - len(text.encode())
    whole = sum(char > "\x7f" for char in text)
    return text if whole > 2 * abs(strays) else None


def _stray(problem: UnicodeError) -> tuple[str, int]:
    assert isinstance(problem, UnicodeDecodeError)
    return problem.object[problem.start : problem.end].decode("cp1252", errors="replace"), problem.end


_STRAY = "tryg-windows-1252"
codecs.register_error(_STRAY, _stray)


def _legacy(sample: bytes) -> str:
    """Return the legacy charset in which most of the letters beyond ASCII are letters of Danish text."""
    high = bytes(byte for byte in sample if byte > 127)
    return max(_LEGACY, key=lambda name: sum(char in _DANISH for char in high.decode(name, errors="replace")))


def _mend(text: str) -> str:
    return _TWICE.sub(_once, text, count=_MOST_MENDED) if "Ã" in text else text


def _once(match: re.Match[str]) -> str:
    twice = match.group()
    for length in range(len(twice), 1, -1):
        try:
            return twice[:length].encode("cp1252").decode("utf-8") + twice[length:]
        except UnicodeError:
            continue
    return twice
