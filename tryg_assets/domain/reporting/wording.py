"""How the codes of the tables are written for people: the Danish words of ``data/reference/wording.yml``."""

from __future__ import annotations

import functools
import re
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml

_MORE = re.compile(r" \(and \d+ more links?\)$")


@functools.cache
def _read() -> dict[str, Any]:
    words: dict[str, Any] = read_yaml(paths.REFERENCE / "wording.yml")
    return words


def wording() -> dict[str, dict[str, str]]:
    """Return the words by kind of code, then by code."""
    return {kind: words for kind, words in _read().items() if isinstance(words, dict)}


def say(kind: str, code: str) -> str:
    """Return how ``code`` of this kind is written for people; the code itself if no wording is known."""
    words: dict[str, str] = _read()[kind]
    return words.get(code, code)


def say_detail(detail: str) -> str:
    """Return a detail of ``crawl_log`` in Danish, as it is if no wording fits; "(and 3 more ...)" at its end is dropped."""
    core = _MORE.sub("", detail)
    for pattern, words in _read()["details"]:
        if match := re.fullmatch(pattern, core):
            return str(words).format(*match.groups())
    return detail
