"""Which capitalised names are persons. Persons are never actors, and their names never leave this machine."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator

from tryg_assets.domain.actors.lexicon import Lexicon, Token, lexicon, tokens, without_genitive
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.folding import apart
from tryg_assets.domain.privacy import privacy


def is_person(before: Token, name: list[Token], book: Lexicon) -> bool:
    """Whether a capitalised name right after a cue of cooperation is a person: by title, given name or surname."""
    if before.folded.rstrip(".") in book.titles or name[0].text in book.given_names:
        return True
    return len(name) > 1 and name[-1].folded.endswith(book.surname_endings)


def person_spans(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each name in ``text`` that is a person's, wherever it stands.

    A person is a given name of ``data/codebook/actors.yml`` with or without more names after it, capitalised names of which the
    last is or ends like a surname, or a capitalised name after a title. Invisible characters in it do not hide it. A name with
    a word for a place or an organisation in it ("Peter Bangs Vej") is none; a given name that is a word too ("Bo") needs a
    surname.
    """
    plain = apart(text)
    words = tokens(plain.text)
    return [
        plain.where(words[first].start, words[last - 1].end)
        for run_first, run_last in _runs(words, plain.text)
        for first, last in _person(words, run_first, run_last)
    ]


def without_person(name: str) -> str:
    """Return the name of an actor without that of a person in it: what stands before the person, nothing if that is a title.

    "Natteravnene v. Kirsten Sørensen" is Natteravnene, "Borgmester Mette Hansen" is none. A given name alone right after a name
    belongs to it ("Café Sofie"), and a known actor that is called like a person ("Niels Brock") stays.
    """
    spans = person_spans(name)
    if not spans or name.casefold() in _known_actors():
        return name
    start, end = spans[0]
    before = tokens(name[:start])
    kept = list(before)
    while kept and _introduces(kept[-1]):
        kept.pop()
    if kept and len(kept) == len(before) and len(tokens(name[start:end])) == 1:
        return name
    return name[: kept[-1].end] if kept else ""


def _introduces(word: Token) -> bool:
    """Whether a word, or mark, only says that a person's name follows, and who it is."""
    words = privacy()
    return (
        not word.text[0].isalnum()
        or word.folded in words.person_joiners
        or word.folded.endswith(words.title_endings)
    )


def persons_named(pages: Iterable[Page]) -> int:
    """Return how often persons are named on ``pages``: all that is kept of their names."""
    return sum(len(person_spans(sentence.text)) for page in pages for sentence in page.sentences)


@functools.cache
def _known_actors() -> frozenset[str]:
    every = itertools.chain.from_iterable(lexicon().words.values())
    return frozenset(rule.canonical.casefold() for rule, _ in every if rule.canonical)


def _runs(words: list[Token], text: str) -> Iterator[tuple[int, int]]:
    """Yield stretches of capitalised words with only spaces between them."""
    first = 0
    while first < len(words):
        last = first
        while last < len(words) and (_capital(words[last]) or _after_initial(words, first, last)):
            if last > first and text[words[last - 1].end : words[last].start].strip(" \u00a0"):
                break
            last += 1
        if last > first:
            yield first, last
        first = max(last, first + 1)


def _person(words: list[Token], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the person in a stretch of capitalised words, if there is one."""
    book, names = lexicon(), privacy()
    given = next((place for place in range(first, last) if _given(words[place])), None)
    # "Peter Bangs Vej", "Anne Frank skolen": the word after the name belongs to it.
    if any(
        word.folded.endswith(names.no_person_endings) or _bare(word).endswith(names.no_person_endings)
        for word in words[given or first : last + 1]
    ):
        return
    if given is not None and (given + 1 < last or words[given].text not in names.given_names_also_words):
        yield given, last
    elif (first > 0 and words[first - 1].folded.rstrip(".") in book.titles) or (
        last - first > 1
        and (
            _bare(words[last - 1]).endswith(names.surname_endings) or words[last - 1].folded in names.surnames
        )
    ):
        yield first, last


def _capital(word: Token) -> bool:
    return word.text[:1].isupper() and word.text not in lexicon().no_names


def _after_initial(words: list[Token], first: int, place: int) -> bool:
    """Whether the word at ``place`` is the full stop of an initial within a name ("Søren Ø. Larsen")."""
    following = words[place + 1 : place + 2]
    return (
        place > first
        and words[place].text == "."
        and len(words[place - 1].text) == 1
        and bool(following)
        and _capital(following[0])
    )


def _given(word: Token) -> bool:
    forms = (word.text, without_genitive(word.text), *word.text.split("-")[:1])
    return any(form in lexicon().given_names for form in forms)


def _bare(word: Token) -> str:
    return without_genitive(word.folded) or word.folded


def without_persons(text: str, placeholder: str) -> tuple[str, int]:
    """Return ``text`` with ``placeholder`` for each person's name, and how many there were."""
    spans = person_spans(text)
    edges = [0, *itertools.chain.from_iterable(spans), len(text)]
    kept = (text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    return placeholder.join(kept), len(spans)
