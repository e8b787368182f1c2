"""Which blocks of an HTML page are its own text: not menus, banners, teasers, comments or what else stands around it."""

from __future__ import annotations

import functools
import re
from itertools import accumulate

from tryg_assets.domain.crawling.markup import Element, Judge, Mark, Reading
from tryg_assets.domain.crawling.policy import Furniture

_ATTRIBUTE = re.compile(r'([^\s="]+)="([^"]*)"')
_HIDES = re.compile(r"display:\s*none|visibility:\s*hidden")


@functools.cache
def judge_of(rules: Furniture) -> Judge:
    """Return the function that tells what an element is from its tag and attributes."""
    tags, roles = frozenset(rules.tags), frozenset(rules.roles)
    sure, perhaps, breadcrumb, reveal = map(_any, (rules.sure_words, rules.words, rules.breadcrumb_words, rules.reveal_words))
    mains, bodies = ([_any([pattern]) for pattern in patterns] for patterns in (rules.main_words, rules.body_words))

    @functools.lru_cache(maxsize=16384)
    def judge(tag: str, attributes: str) -> tuple[Mark, int]:
        if tag in tags:
            return Mark.FURNITURE, 0
        values = dict(_ATTRIBUTE.findall(attributes))
        role = values.get("role", "").lower()
        names = f"{values.get('class', '')} {values.get('id', '')}".strip().lower()
        if role in roles:
            return Mark.FURNITURE, 0
        if (
            ("hidden" in values and values["hidden"] != "until-found")
            or values.get("aria-hidden") == "true"
            or _HIDES.search(values.get("style", ""))
        ) and not (role == "tabpanel" or reveal.search(names)):
            return Mark.FURNITURE, 0
        if sure.search(names):
            return Mark.FURNITURE, 0
        if breadcrumb.search(names):
            return Mark.BREADCRUMB, 0
        if tag == "button":
            return Mark.CONTROL, 0
        if tag == "main" or role == "main":
            return Mark.MAIN, 0
        if values.get("itemprop", "").lower() == "articlebody":
            return Mark.BODY, 0
        single = [f"{value}" for value in names.split()]
        for rank, pattern in enumerate(bodies, 1):
            if any(pattern.fullmatch(name) for name in single):
                return Mark.BODY, rank
        for rank, pattern in enumerate(mains, 2):
            if any(pattern.fullmatch(name) for name in single):
                return Mark.MAIN, rank
        if tag == "article":
            return Mark.MAIN, 1
        if names and perhaps.search(names):
            return Mark.PERHAPS, 0
        return Mark.NONE, 0

    return judge


def _any(patterns: tuple[str, ...] | list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def own_blocks(reading: Reading, rules: Furniture) -> list[int]:
    """Return the numbers of the blocks that are the page's own text, in order."""
    weights = [_weight(*block, rules) for block in zip(reading.texts, reading.prefixes, reading.linked, strict=True)]
    whole = [0, *accumulate(weights)]
    furniture = bytearray(len(weights))
    for element in reading.elements:
        if _is_furniture(element, reading, whole, rules):
            furniture[element.start : element.end] = b"\1" * (element.end - element.start)
    _drop_tails(reading, furniture, rules)
    own = [0, *accumulate(0 if dropped else weight for weight, dropped in zip(weights, furniture, strict=True))]
    start, end = _main_part(reading.elements, own, rules)
    return [
        number
        for number in range(start, end)
        if not furniture[number] and not _is_links(reading.texts[number], reading.linked[number], rules)
    ]


def _weight(text: str, prefix: str, linked: int, rules: Furniture) -> int:
    """Return how many characters of running text a block is: none for headings, links and short pieces."""
    if prefix == "# " or len(text) < rules.least_paragraph or linked * 3 > len(text):
        return 0
    return len(text) - linked


def _is_links(text: str, linked: int, rules: Furniture) -> bool:
    if linked < rules.link_share * len(text):
        return False
    return not (text[-1] in ".!?" and len(text.split()) > rules.link_block_words)


def _is_furniture(element: Element, reading: Reading, whole: list[int], rules: Furniture) -> bool:
    mark = element.mark
    if mark in (Mark.NONE, Mark.MAIN, Mark.BODY):
        return False
    if element.tag in ("header", "form") and element.headline:
        # A heading inside <header> of an article is the page's own; some systems put the whole page into one <form>.
        return False
    if mark is Mark.PERHAPS:
        inside = whole[element.end] - whole[element.start]
        return inside < rules.least_main or inside < rules.most_of_page * whole[-1]
    return True


def _drop_tails(reading: Reading, furniture: bytearray, rules: Furniture) -> None:
    pass


def _main_part(elements: list[Element], own: list[int], rules: Furniture) -> tuple[int, int]:
    """Return the stretch of blocks of the best element that its author marks as main part, or of the whole body.

    Marks are believed if the element holds enough of the running text around it.
    """
    start, end = 0, len(own) - 1

    def held(element: Element) -> int:
        return own[element.end] - own[element.start]

    for mark, share in ((Mark.MAIN, rules.main_share), (Mark.BODY, rules.body_share)):
        while True:
            inside = [
                element
                for element in elements
                if element.mark is mark and start <= element.start and element.end <= end
                and (element.start, element.end) != (start, end)
                and (held(element) >= share * (own[end] - own[start]))
            ]
            if not inside:
                break
            best = min(inside, key=lambda element: (element.rank, -held(element)))
            start, end = best.start, best.end
            break
    return start, end
