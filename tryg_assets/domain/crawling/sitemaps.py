"""The addresses a sitemap names (sitemaps.org protocol 0.9), however broken or long it is."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from tryg_assets.domain.crawling.inflate import BadBody, TooLarge, inflate

# Sitemaps are read as text, not as XML: unescaped ampersands and cut-off files are common, and a tree of a million lines
# would fill the memory.
_ENTRY = re.compile(
    rb"<(?P<container>sitemap|url)[\s>]|<loc>\s*(?:<!\[CDATA\[)?\s*(?P<address>[^<\]]{1,4000}?)\s*(?:\]\]>\s*)?</loc>",
    re.IGNORECASE,
)


def sitemap_entries(body: bytes, limit: int) -> Iterator[tuple[str, bool]]:
    """Yield (address, whether it is another sitemap) in the order of the file; a gzip file is unpacked up to ``limit`` bytes.

    A file without markup is a list with an address on each line. What is neither yields nothing.
    """
    if body.startswith(b"\x1f\x8b"):
        try:
            body = inflate(body, "gzip", limit)
        except (BadBody, TooLarge):
            return
    if b"<" not in body[:1000]:
        for line in body.splitlines():
            if line.startswith((b"http://", b"https://")):
                yield line.decode("utf-8", errors="replace").strip(), False
        return
    container = b""
    for entry in _ENTRY.finditer(body):
        if entry["container"]:
            container = entry["container"].lower()
        elif container:
            text = entry["address"].decode("utf-8", errors="replace")
            yield html.unescape(text), container == b"sitemap"
