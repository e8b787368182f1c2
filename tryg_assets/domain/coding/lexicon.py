"""Word lists without regular expressions: which labelled terms does a text hold?"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping

_WORD = re.compile(r"\w+(?:-\w+)*")


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text, in order."""
    return _WORD.findall(folded)


class Lexicon:
    """Terms with labels and weights.

    A term is written ``ord`` (beginning of a word), ``~ord`` (anywhere in a word, for compounds) or ``ord!`` (the end
    of the word must match too); a term with a space is a phrase.
    """

    def __init__(self, entries: Mapping[str, Iterable[tuple[str, float]]]) -> None:
        self.labels: dict[str, tuple[tuple[str, float], ...]] = {
            term: tuple(found) for term, found in entries.items()
        }
        self._phrases = tuple(term for term in self.labels if " " in term)
        self._words = tuple(
            (term, term.strip("~!"), term.startswith("~"), term.endswith("!"))
            for term in self.labels
            if " " not in term
        )
        self._of_word = functools.lru_cache(maxsize=50_000)(self._look_up)
        self._best_of_word = functools.lru_cache(maxsize=50_000)(self._heaviest)

    @classmethod
    def of_lists(cls, lists: Mapping[str, Iterable[str]]) -> Lexicon:
        """Build a lexicon in which every term weighs 1 and has the name of its list as label."""
        entries: dict[str, list[tuple[str, float]]] = {}
        for label, terms in lists.items():
            for term in terms:
                entries.setdefault(term, []).append((label, 1.0))
        return cls(entries)

    def _look_up(self, word: str) -> tuple[str, ...]:
        return tuple(
            term
            for term, bare, inside, whole in self._words
            if bare in word and (inside or word.startswith(bare)) and (not whole or word.endswith(bare))
        )

    def find(self, folded: str, words: Iterable[str]) -> list[str]:
        """Return the terms that a folded text with these words holds; a term is there once for each word it is in."""
        found = [term for word in words for term in self._of_word(word)]
        found += [term for term in self._phrases if term in folded]
        return found

    def best(self, folded: str, words: Iterable[str]) -> list[tuple[str, str]]:
        """Return (label, term) for each word or phrase: of several terms in one word, a label gets its heaviest."""
        found = [pair for word in words for pair in self._best_of_word(word)]
        found += [(label, term) for term in self._phrases if term in folded for label, _ in self.labels[term]]
        return found

    def _heaviest(self, word: str) -> tuple[tuple[str, str], ...]:
        heaviest: dict[str, tuple[float, str]] = {}
        for term in self._of_word(word):
            for label, weight in self.labels[term]:
                if weight > heaviest.get(label, (0.0, ""))[0]:
                    heaviest[label] = (weight, term)
        return tuple((label, term) for label, (_, term) in heaviest.items())

    def labels_in(self, folded: str, words: Iterable[str]) -> dict[str, set[str]]:
        """Return the terms found, by label."""
        found: dict[str, set[str]] = {}
        for term in self.find(folded, words):
            for label, _ in self.labels[term]:
                found.setdefault(label, set()).add(term)
        return found
