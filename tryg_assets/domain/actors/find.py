"""Find the actors that a text names, the role each sentence gives them, and their place in the taxonomy."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from tryg_assets.domain.actors.lexicon import (
    _NAME_WORDS,
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
from tryg_assets.domain.coding.interface import ActorMention, Page, Placement
from tryg_assets.domain.reference import UNRESOLVED, actor_taxonomy, municipalities

# How far back from an actor a cue is looked for, in characters.
_REACH = 70


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
    """Yield the actors of a sentence with their roles; those joined by a comma or "og" share a cue."""
    book = lexicon()
    words = tokens(text)
    found = [_place(text, words, match, municipality, book) for match in _matches(words, text, book)]
    chain: list[_Found] = []
    for position, actor in enumerate(found):
        chain.append(actor)
        following = found[position + 1].start if position + 1 < len(found) else len(text)
        if position + 1 < len(found) and text[actor.end : following].strip(" ,") in ("", "og", "samt", "eller", "og den", "og det", "og de"):
            continue
        before = text[max(0, chain[0].start - _REACH) : chain[0].start]
        after = text[actor.end : following]
        for member in chain:
            role = _role(before, after, member, book)
            if role is not None:
                yield member, role
        chain = []


def _role(before: str, after: str, actor: _Found, book: Lexicon) -> Role | None:
    """Return the role that the words around an actor give it, else its subcategory's own, or ``None`` for a group without one."""
    default = book.default_roles.get(actor.placement.subcategory, "deltager")
    clause = _clause(after)
    low = before.casefold()
    best: tuple[int, Role] | None = None
    for cue in book.cues:
        if (cue.role == "målgruppe") != (default == "målgruppe") and cue.role != "deltager":
            continue
        if (match := cue.before.search(low)) and (best is None or len(match[1]) > best[0]):
            best = (len(match[1]), cue.role)
    if best is not None:
        return best[1]
    first: tuple[int, Role] | None = None
    for cue in book.cues:
        if (cue.role == "målgruppe") != (default == "målgruppe"):
            continue
        if (match := cue.after.search(clause)) and (first is None or match.start() < first[0]):
            first = (match.start(), cue.role)
        elif first is None and cue.inverted.search(low):
            first = (len(clause), cue.role)
    if first is not None:
        return first[1]
    return None if actor.rule.kind == "group" else default


def _clause(after: str) -> str:
    """Return what follows up to the end of the clause, in small letters."""
    for position, char in enumerate(after):
        if char in ".;:!?":
            return after[:position].casefold()
    return after.casefold()


def _matches(words: list[Token], text: str, book: Lexicon) -> list[_Match]:
    """Return the rules that fit, the longest first where they overlap, in the order of the text."""
    every: list[_Match] = []
    for position, word in enumerate(words):
        for rule, anchor in candidates(word.folded):
            every.extend(_fit(rule, anchor, position, words, text, book))
        if word.text[:1].isupper() and field_of(word.folded):
            for rule in book.field_rules:
                every.extend(_fit(rule, 0, position, words, text, book))
    every.extend(_unplaced(words, text, book))
    every.sort(key=lambda m: (-(words[m.last - 1].end - words[m.first].start), m.rule.kind == "unresolved", -m.rule.letters, m.first))
    taken = bytearray(len(words))
    chosen = []
    for match in every:
        if not any(taken[match.first : match.last]):
            taken[match.first : match.last] = b"\x01" * (match.last - match.first)
            if match.rule.kind != "noise":
                chosen.append(match)
    return sorted(chosen, key=lambda match: match.first)


def _fit(rule: Rule, anchor: int, position: int, words: list[Token], text: str, book: Lexicon) -> Iterator[_Match]:
    """Yield the match of ``rule`` whose anchor is the word at ``position``, if it fits."""
    first = position - anchor
    if anchor and rule.elements[0].kind in ("name", "names"):
        # The name stands before the anchor, and may be of several words.
        first = position - (anchor - 1)
        start = first
        while start > 0 and first - start < _NAME_WORDS and _is_name(words[start - 1], book):
            start -= 1
        if start == first:
            return
        at, rest = first, rule.elements[1:]
        first = start
    elif first < 0:
        return
    else:
        at, rest = first, rule.elements
    canonical_end = ""
    for number, element in enumerate(rest):
        if at >= len(words):
            return
        word = words[at]
        final = number == len(rest) - 1
        canonical_end = word.text
        if element.kind in ("name", "names"):
            end = _name_end(at, words, book, joined=element.kind == "names")
            if end == at:
                return
            at, canonical_end = end, words[end - 1].text
            continue
        forms = [word.text]
        if final and (stripped := without_genitive(word.text)) is not None:
            forms.append(stripped)
        fitting = next((form for form in forms if _element_fits(rule, number + len(rule.elements) - len(rest), form)), None)
        if fitting is None:
            return
        canonical_end = fitting
        at += 1
    if rule.kind == "unit" and len(rule.elements) == 1 and field_of(words[first].folded) is None:
        return
    name = text[words[first].start : words[at - 1].start] + canonical_end
    yield _Match(first, at, rule, rule.canonical or name[:1].upper() + name[1:])


def _element_fits(rule: Rule, number: int, form: str) -> bool:
    element = rule.elements[number]
    if element.kind == "field":
        return form[:1].isupper() and field_of(form.casefold()) is not None and not _names_an_actor(form.casefold())
    if element.glob is not None:
        return element.glob.fullmatch(form) is not None
    return form == element.exact if element.exact is not None else form.replace("’", "'").casefold() == element.folded


def _is_name(word: Token, book: Lexicon) -> bool:
    return word.text[:1].isupper() and word.text not in book.no_names


def _name_end(at: int, words: list[Token], book: Lexicon, *, joined: bool) -> int:
    """Return the place after the name that begins at ``at`` (``at`` itself if none does)."""
    end = at
    limit = at + (2 * _NAME_WORDS if joined else _NAME_WORDS)
    while end < min(len(words), limit):
        if _is_name(words[end], book):
            end += 1
        elif joined and end > at and words[end].text in book.joiners and end + 1 < len(words) and _joins(words[end + 1], book):
            end += 2
        else:
            break
    return end


def _joins(word: Token, book: Lexicon) -> bool:
    """Whether a word goes on a name after "og": it is capitalised and begins no actor of its own."""
    return _is_name(word, book) and not _names_an_actor(word.folded)


@functools.lru_cache(maxsize=100_000)
def _names_an_actor(folded: str) -> bool:
    """Whether a word alone, or as the first of several, names an actor."""
    return any(anchor == 0 and rule.kind in ("placed", "group") for rule, anchor in candidates(folded))


@functools.cache
def _bare_name() -> Rule:
    return Rule((), "unresolved", None, None, "local", "unresolved", 0)


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
        if book.unresolved_cue.search(before) and not _is_person(words[position - 1], words[position:end], book) and not _is_place(name):
            yield _Match(position, end, _bare_name(), name)
        position = end


def _is_person(before: Token, name: list[Token], book: Lexicon) -> bool:
    if before.folded.rstrip(".") in book.titles or name[0].text in book.given_names:
        return True
    return len(name) > 1 and name[-1].folded.endswith(book.surname_endings)


def _is_place(name: str) -> bool:
    return name.casefold() in _places()


@functools.cache
def _places() -> frozenset[str]:
    return frozenset(entry.short_name.casefold() for entry in municipalities().values())


@functools.cache
def _municipality_names() -> dict[str, str]:
    return {entry.name.casefold(): slug for slug, entry in municipalities().items()}


def _place(text: str, words: list[Token], match: _Match, municipality: str, book: Lexicon) -> _Found:
    """Return the actor of a match with its place in the taxonomy."""
    start, end = words[match.first].start, words[match.last - 1].end
    rule, canonical, scope, sub, how = match.rule, match.canonical, match.rule.scope, match.rule.subcategory, match.rule.how
    if rule.kind == "unit":
        fields = (field_of(word.folded) for word in words[match.first : match.last])
        sub = next((field for field in fields if field is not None), book.unit_otherwise)
    elif rule.kind == "municipality":
        own = municipalities().get(municipality)
        other = _municipality_names().get(canonical.casefold())
        if other is not None and other != municipality:
            sub, scope = book.other_municipality, "national"
        elif own is not None:
            canonical = own.name
    master = UNRESOLVED if sub is None else actor_taxonomy().subcategories[sub].master
    return _Found(start, end, text[start:end], rule, Placement(canonical, scope, master, sub or UNRESOLVED, how))
