"""Undoing the content codings of HTTP, never further than a bound: a bomb is noticed while it goes off."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli
import zstandard

# A chain of codings is unheard of; it is bounded all the same.
_LONGEST_CHAIN = 3
# RFC 8878 section 3.1.1.1.2: a decoder should offer 8 MB, and need not offer more.
_ZSTD_WINDOW = 8 * 2**20
_ZSTD_STEP = 64


class TooLarge(Exception):
    """The body is longer than the bound once it is unpacked."""


class BadBody(Exception):
    """The body is not what its coding says, or ends too early."""


def inflate(body: bytes, codings: str, limit: int) -> bytes:
    """Return ``body`` without the codings named in ``Content-Encoding``; names that are no coding are passed over.

    Raises:
        TooLarge: it would be more than ``limit`` bytes; no more than that many and a buffer were ever made.
        BadBody: it cannot be unpacked.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    known = [name for name in names if name in _DECODERS]
    if len(known) > _LONGEST_CHAIN:
        raise BadBody(f"the body is coded {len(known)} times over")
    for name in reversed(known):
        if not body:
            break
        try:
            body = _DECODERS[name](body, limit + 1)
        except (zlib.error, brotli.error, zstandard.ZstdError) as problem:
            raise BadBody(f"the body cannot be unpacked ({name}: {problem})") from problem
        if len(body) > limit:
            raise TooLarge
    return body


def _gzip(body: bytes, most: int) -> bytes:
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    return _whole(decoder.decompress(body, most), decoder.eof, most)


def _deflate(body: bytes, most: int) -> bytes:
    """Undo ``deflate``: zlib's wrapping as RFC 9110 has it, or none, as some servers do."""
    # A zlib header is a multiple of 31 (RFC 1950 section 2.2).
    wrapped = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    return _whole(decoder.decompress(body, most), decoder.eof, most)


def _brotli(body: bytes, most: int) -> bytes:
    decoder = brotli.Decompressor()
    plain = decoder.process(body, output_buffer_limit=most)
    return _whole(plain, decoder.is_finished(), most)


def _zstd(body: bytes, most: int) -> bytes:
    # zstandard has no bound on what it makes of what it is given, so it is given little: a block of 4 bytes makes 128 KB.
    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    plain = bytearray()
    for start in range(0, len(body), _ZSTD_STEP):
        plain += decoder.decompress(body[start : start + _ZSTD_STEP])
        if decoder.eof or len(plain) >= most:
            break
    return _whole(bytes(plain), decoder.eof, most)


def _whole(plain: bytes, finished: bool, most: int) -> bytes:
    if not finished and len(plain) < most:
        raise BadBody("the body ends too early")
    return plain


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
