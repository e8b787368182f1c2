"""Pieces of running text, and how they are put together from lines."""

from __future__ import annotations

import re
from typing import NamedTuple

_LIST = re.compile(r"(?:[-•*–]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s+")
# "børne-" at the end of a line keeps its hyphen before "og ungeudvalget".
_SHARED_PART = re.compile(r"(og|eller|samt)\b")


class Block(NamedTuple):
    """A piece of running text. ``prefix`` is ``'# '`` for a heading, ``'- '`` for a list item, else empty."""

    text: str
    prefix: str = ""


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space."""
    return " ".join(text.split())


def join_lines(text: str) -> list[Block]:
    """Join hard-wrapped lines into paragraphs; a list mark, a heading (``#``) or a blank line starts a new one."""
    blocks: list[Block] = []
    lines: list[str] = []
    prefix = ""

    def close() -> None:
        if words := one_line(" ".join(lines)):
            blocks.append(Block(words, prefix))
        lines.clear()

    for raw in text.splitlines():
        line = raw.strip()
        mark, heading = _LIST.match(line), _HEADING.match(line)
        if not line or mark or heading:
            close()
            prefix = ""
        if heading:
            blocks.append(Block(one_line(line[heading.end() :]), "# "))
            continue
        if mark:
            prefix, line = "- ", line[mark.end() :]
        if line:
            if lines and lines[-1].endswith("-") and line[:1].islower() and not _SHARED_PART.match(line):
                lines[-1] = lines[-1][:-1] + line
            else:
                lines.append(line)
    close()
    return blocks
