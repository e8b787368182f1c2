"""Find the actors that a text names, the role each sentence gives them, and their place in the taxonomy."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import NamedTuple

from tryg_assets.domain.actors.lexicon import (
    Element,
    Lexicon,
    Role,
    Rule,
    Token,
    candidates,
    field_of,
    lexicon,
    tokens,
    without_genitive,
)
from tryg_assets.domain.actors.persons import is_person
from tryg_assets.domain.coding.interface import ActorMention, Page, Placement
from tryg_assets.domain.reference import UNRESOLVED, actor_taxonomy, municipalities

# Target groups decide nothing, and what is no target group is not made one by "til" or "kan".
_BARRED: dict[bool, tuple[Role, ...]] = {True: ("ansvarlig",), False: ("målgruppe",)}

# How far back from an actor a cue is looked for, in characters, and how many words a name may have.
_REACH = 70
_NAME_WORDS = 4
_BARE_NAME = Rule((), "unresolved", None, None, "local", "unresolved", 0)
_CLAUSE_END = re.compile(r"[.;:!?]")


class _Match(NamedTuple):
    """A rule that fits the tokens from ``first`` up to, not including, ``last``; ``canonical`` is in the nominative."""

    first: int
    last: int
    rule: Rule
    canonical: str


class _Found(NamedTuple):
    """A placed actor in a sentence, with what a role is read from."""

    start: int
    end: int
    surface: str
    rule: Rule
    placement: Placement


def find_actors(page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
    """Find and place the actors named in these sentences of ``page`` (all sentences if none are given).

    One mention per surface and sentence; the longest name wins; generic groups count where the sentence gives them a role.
    """
    mentions: list[ActorMention] = []
    for number in sentence_ids or range(1, len(page.sentences) + 1):
        seen: set[str] = set()
        for found, role in _with_roles(page.sentence(number), page.municipality):
            if found.surface not in seen:
                seen.add(found.surface)
                mentions.append(ActorMention(found.surface, number, role, found.placement))
    return mentions


def _with_roles(text: str, municipality: str) -> Iterator[tuple[_Found, Role]]:
    """Yield the actors of a sentence with their roles; those joined in a list share what stands before and after it."""
    book = lexicon()
    words = tokens(text)
    found = [_place(text, words, match, municipality, book) for match in _matches(words, text, book)]
    joined: list[_Found] = []
    for actor, following in zip_longest(found, found[1:]):
        joined.append(actor)
        end = len(text) if following is None else following.start
        gap = text[actor.end : end]
        if following is not None and (gap.strip() == "," or gap.strip(" ,") in book.list_joiners):
            continue
        before = text[max(0, joined[0].start - _REACH) : joined[0].start].casefold()
        clause = _CLAUSE_END.split(gap, maxsplit=1)[0].casefold()
        for member in joined:
            role = _role(before, clause, member, book)
            if role is not None:
                yield member, role
        joined = []


def _role(before: str, clause: str, actor: _Found, book: Lexicon) -> Role | None:
    """Return the role that the words around an actor give it, else its subcategory's own, or ``None`` for a group without one.

    What ends right before the actor goes before a verb: the longest such cue, then the first verb of the clause.
    """
    default = book.default_roles.get(actor.placement.subcategory, "deltager")
    cues = [cue for cue in book.cues if cue.role not in _BARRED[default == "målgruppe"]]
    if leading := [(len(match[1]), cue.role) for cue in cues if (match := cue.before.search(before))]:
        return max(leading, key=lambda entry: entry[0])[1]
    verbs = [(match.start(), cue.role) for cue in cues if (match := cue.after.search(clause))]
    verbs.extend((len(clause), cue.role) for cue in cues if cue.inverted.search(before))
    if verbs:
        return min(verbs, key=lambda entry: entry[0])[1]
    return None if actor.rule.kind == "group" and not book.opening.fullmatch(before) else default


def _matches(words: list[Token], text: str, book: Lexicon) -> list[_Match]:
    """Return the rules that fit, in the order of the text; where they overlap, the longest."""
    every: list[_Match] = []
    for position, word in enumerate(words):
        for rule, anchor in candidates(word.folded):
            every.extend(_fit(rule, anchor, position, words, text, book))
        if word.text[:1].isupper() and field_of(word.folded):
            for rule in book.field_rules:
                every.extend(_fit(rule, 0, position, words, text, book))
    every.extend(_unplaced(words, text, book))
    every.sort(key=_rank(words))
    taken = bytearray(len(words))
    chosen = []
    for match in every:
        if not any(taken[match.first : match.last]):
            taken[match.first : match.last] = b"\x01" * (match.last - match.first)
            if match.rule.kind != "noise":
                chosen.append(match)
    return sorted(chosen, key=lambda match: match.first)


def _rank(words: list[Token]) -> Callable[[_Match], tuple[bool, int, int, bool]]:
    """Return the order in which matches are taken: unresolved ones last, the longest first, then the most spelled out, then a unit."""

    def rank(match: _Match) -> tuple[bool, int, int, bool]:
        length = words[match.last - 1].end - words[match.first].start
        return match.rule.kind == "unresolved", -length, -match.rule.letters, match.rule.kind != "unit"

    return rank


def _fit(
    rule: Rule, anchor: int, position: int, words: list[Token], text: str, book: Lexicon
) -> Iterator[_Match]:
    """Yield the match of ``rule`` whose anchor is the word at ``position``, if it fits."""
    elements = rule.elements
    at = first = position - anchor
    if anchor and elements[0].kind == "name":
        # The name stands before the anchor, and may be of several words.
        elements = elements[1:]
        at = first = position - anchor + 1
        while first > 0 and at - first < _NAME_WORDS and _is_name(words[first - 1], book):
            first -= 1
        if first == at:
            return
    if first < 0:
        return
    nominative = ""
    for number, element in enumerate(elements, 1):
        if at >= len(words):
            return
        if element.kind in ("name", "names"):
            end = _name_end(at, words, book, joined=element.kind == "names")
            if end == at:
                return
            at, nominative = end, words[end - 1].text
            continue
        stripped = without_genitive(words[at].text) if number == len(elements) else None
        forms = (words[at].text,) if stripped is None else (words[at].text, stripped)
        fitting = next((form for form in forms if _fits(element, form)), None)
        if fitting is None:
            return
        at, nominative = at + 1, fitting
    if rule.kind == "unit" and at == first + 1 and field_of(words[first].folded) is None:
        return
    canonical = rule.canonical
    if rule.kind == "placed" and rule.scope == "local" and book.with_name.fullmatch(words[at - 1].text):
        end = _name_end(at, words, book, joined=False)
        if end > at:
            at, nominative, canonical = end, words[end - 1].text, None
    name = text[words[first].start : words[at - 1].start] + nominative
    yield _Match(first, at, rule, canonical or name[:1].upper() + name[1:])


def _fits(element: Element, form: str) -> bool:
    if element.kind == "field":
        return (
            form[:1].isupper()
            and field_of(form.casefold()) is not None
            and not _names_an_actor(form.casefold(), alone=True)
        )
    if element.glob is not None:
        return element.glob.fullmatch(form) is not None
    return (
        form == element.exact
        if element.exact is not None
        else form.replace("’", "'").casefold() == element.folded
    )


def _is_name(word: Token, book: Lexicon) -> bool:
    return word.text[:1].isupper() and word.text not in book.no_names


def _name_end(at: int, words: list[Token], book: Lexicon, *, joined: bool) -> int:
    """Return the place after the name that begins at ``at`` (``at`` itself if none does)."""
    end = at
    limit = at + (2 * _NAME_WORDS if joined else _NAME_WORDS)
    while end < min(len(words), limit):
        if _is_name(words[end], book):
            end += 1
        elif (
            joined
            and end > at
            and words[end].text in book.joiners
            and end + 1 < len(words)
            and _joins(words[end + 1], book)
        ):
            end += 2
        else:
            break
    return end


def _joins(word: Token, book: Lexicon) -> bool:
    """Whether a word goes on a name after "og": it is capitalised and begins no actor of its own."""
    if not _is_name(word, book) or _names_an_actor(word.folded, alone=True):
        return False
    return field_of(word.folded) is not None or not _names_an_actor(word.folded, alone=False)


@functools.lru_cache(maxsize=100_000)
def _names_an_actor(folded: str, *, alone: bool) -> bool:
    """Whether a word names an actor alone, or as the first of several."""
    return any(
        anchor == 0 and rule.kind in ("placed", "group") and (not alone or len(rule.elements) == 1)
        for rule, anchor in candidates(folded)
    )


def _unplaced(words: list[Token], text: str, book: Lexicon) -> Iterator[_Match]:
    """Yield capitalised names that stand right after a cue of cooperation; persons are left out."""
    position = 1
    while position < len(words):
        end = _name_end(position, words, book, joined=False)
        if end == position:
            position += 1
            continue
        before = text[max(0, words[position].start - _REACH) : words[position].start].casefold()
        name = text[words[position].start : words[end - 1].end]
        if (
            book.unresolved_cue.search(before)
            and not is_person(words[position - 1], words[position:end], book)
            and name.casefold() not in _places()
        ):
            yield _Match(position, end, _BARE_NAME, name)
        position = end


@functools.cache
def _places() -> frozenset[str]:
    return frozenset(entry.short_name.casefold() for entry in municipalities().values())


@functools.cache
def _municipality_names() -> dict[str, str]:
    return {entry.name.casefold(): slug for slug, entry in municipalities().items()}


def _place(text: str, words: list[Token], match: _Match, municipality: str, book: Lexicon) -> _Found:
    """Return the actor of a match with its place in the taxonomy."""
    start, end = words[match.first].start, words[match.last - 1].end
    rule, canonical = match.rule, match.canonical
    scope, sub = rule.scope, rule.subcategory
    if rule.kind == "unit":
        fields = (field_of(word.folded) for word in words[match.first : match.last])
        sub = next((field for field in fields if field is not None), book.unit_otherwise)
    elif rule.kind == "municipality":
        own = municipalities().get(municipality)
        other = _municipality_names().get(canonical.casefold())
        # A file coded by itself belongs to no municipality; its "X Kommune" is then the sender.
        if municipality and other is not None and other != municipality:
            sub, scope = book.other_municipality, "national"
        elif own is not None:
            canonical = own.name
    master = UNRESOLVED if sub is None else actor_taxonomy().subcategories[sub].master
    placement = Placement(canonical, scope, master, sub or UNRESOLVED, rule.how)
    return _Found(start, end, text[start:end], rule, placement)
