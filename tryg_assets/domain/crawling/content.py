"""Which blocks of an HTML page are its own text: not menus, banners, teasers, comments or what else stands around it."""

from __future__ import annotations

import functools
import operator
import re
from itertools import accumulate

from tryg_assets.domain.crawling.markup import Element, Judge, Mark, Reading
from tryg_assets.domain.crawling.policy import Furniture

_ATTRIBUTE = re.compile(r'([^\s="]+)="([^"]*)"')
_STEP = re.compile(r"\s*[/>»›→|]\s*")
_HIDES = re.compile(r"display:\s*none|visibility:\s*hidden")


@functools.cache
def judge_of(rules: Furniture) -> Judge:
    """Return the function that tells what an element is from its tag and attributes."""
    tags, roles = frozenset(rules.tags), frozenset(rules.roles)
    sure, perhaps, breadcrumb, reveal = map(
        _any, (rules.sure_words, rules.words, rules.breadcrumb_words, rules.reveal_words)
    )
    mains, bodies = (
        [_any([pattern]) for pattern in patterns] for patterns in (rules.main_words, rules.body_words)
    )

    @functools.lru_cache(maxsize=16384)
    def judge(tag: str, attributes: str) -> tuple[Mark, int]:
        values = dict(_ATTRIBUTE.findall(attributes))
        role = values.get("role", "").lower()
        names = f"{values.get('class', '')} {values.get('id', '')}".strip().lower()
        singles = names.split()
        if tag == "main" or role == "main":
            return Mark.MAIN, 0
        for rank, pattern in enumerate(mains, 2):
            if any(map(pattern.fullmatch, singles)):
                return Mark.MAIN, rank
        if tag in tags:
            return Mark.FURNITURE, 0
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
        if values.get("itemprop", "").lower() == "articlebody":
            return Mark.BODY, 0
        for rank, pattern in enumerate(bodies, 1):
            if any(map(pattern.fullmatch, singles)):
                return Mark.BODY, rank
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
    weights = [
        _weight(*block, rules) for block in zip(reading.texts, reading.prefixes, reading.linked, strict=True)
    ]
    whole = [0, *accumulate(weights)]
    sure = bytearray(len(weights))
    perhaps = bytearray(len(weights))
    for element in reading.elements:
        if _is_furniture(element, whole, rules):
            dropped = perhaps if element.mark is Mark.PERHAPS else sure
            dropped[element.start : element.end] = b"\1" * (element.end - element.start)
    furniture = bytearray(map(operator.or_, sure, perhaps))
    own = _sums(weights, furniture)
    start, end = _main_part(reading.elements, own, rules)
    without = _sums(weights, sure)
    if own[end] - own[start] < rules.perhaps_leaves * (without[end] - without[start]):
        furniture = sure
    kept: list[int] = []
    for number in range(end - 1, start - 1, -1):
        if furniture[number] or _is_links(reading.texts[number], reading.linked[number], rules):
            continue
        if (
            reading.prefixes[number] == "# "
            and number != reading.headline
            and _is_bare(number, kept, reading)
        ):
            continue
        kept.append(number)
    return kept[::-1]


def _is_bare(heading: int, after: list[int], reading: Reading) -> bool:
    """Return whether all that stood under a heading was left out: "Læs også" above a list of links."""
    return heading + 1 < len(reading.texts) and (
        not after or (after[-1] != heading + 1 and reading.prefixes[after[-1]] == "# ")
    )


def _sums(weights: list[int], dropped: bytearray) -> list[int]:
    return [0, *accumulate(0 if out else weight for weight, out in zip(weights, dropped, strict=True))]


def _weight(text: str, prefix: str, linked: int, rules: Furniture) -> int:
    """Return how many characters of running text a block is: none for headings, links and short pieces."""
    if prefix == "# " or len(text) < rules.least_paragraph or linked * 3 > len(text):
        return 0
    return len(text) - linked


def _is_links(text: str, linked: int, rules: Furniture) -> bool:
    if linked < rules.link_share * len(text):
        return False
    return not (text[-1] in ".!?" and len(text.split()) > rules.link_block_words)


def _is_furniture(element: Element, whole: list[int], rules: Furniture) -> bool:
    mark = element.mark
    if mark in (Mark.NONE, Mark.MAIN, Mark.BODY) or element.tag == "body":
        return False
    inside = whole[element.end] - whole[element.start]
    most = inside >= rules.least_main and (element.headline or inside >= rules.most_of_page * whole[-1])
    if element.headline:
        # A heading inside <header> of an article is the page's own; some systems put the whole page into one <form>,
        # or write on its frame that cookies are not accepted yet.
        return not (most or element.tag in ("header", "form"))
    return not (most and mark is Mark.PERHAPS)


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
                if element.mark is mark
                and start <= element.start
                and element.end <= end
                and (element.start, element.end) != (start, end)
                and (
                    held(element) >= share * (own[end] - own[start])
                    or (element.headline and held(element) >= rules.least_main)
                )
            ]
            if not inside:
                break
            best = min(inside, key=lambda element: (not element.headline, element.rank, -held(element)))
            start, end = best.start, best.end
            break
    return start, end


def breadcrumb_of(reading: Reading) -> tuple[str, ...]:
    """Return the steps of the first breadcrumb, from the home page down; empty if the page shows none."""
    for element in reading.elements:
        if element.mark is Mark.BREADCRUMB:
            steps = reading.texts[element.start : element.end]
            return tuple(part for step in steps for part in _STEP.split(step) if part)
    return ()
