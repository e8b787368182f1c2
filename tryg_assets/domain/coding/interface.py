"""What every engine that codes pages has in common: input, answers, and the rule that evidence must be on the page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from tryg_assets.domain.coding.sentences import Sentence, split_sentences

Decision = Literal["yes", "no", "doubt"]
# Why an answer could not count: the quote is not on the page; the model refused, was cut off, or gave no valid answer; the
# server rejected the request.
Problem = Literal["quote_not_found", "refused", "cut_off", "invalid", "rejected"]


_WORD = re.compile(r"\w+")
_LEAST_QUOTED = 3  # words


@dataclass(frozen=True, slots=True)
class Page:
    """A page as an engine sees it: numbered sentences, the first is 1. The title is not a sentence."""

    page_id: str
    municipality: str
    url: str
    title: str
    sentences: tuple[Sentence, ...]

    @classmethod
    def of(cls, page_id: str, municipality: str, url: str, title: str, text: str) -> Page:
        """Number the sentences of ``text`` (one block a line, as in ``raw_crawl``)."""
        return cls(page_id, municipality, url, title, split_sentences(text))

    @property
    def whole(self) -> str:
        """The title and every sentence, folded."""
        return fold(" ".join([self.title, *(sentence.text for sentence in self.sentences)]))

    def sentence(self, number: int) -> str:
        """Return the text of sentence ``number``."""
        return self.sentences[number - 1].text

    def says(self, quote: str | None, numbers: Iterable[int]) -> bool:
        """Whether ``quote`` stands in one of these sentences, as the page has them or as they are when masked.

        It must be of three words at least, or the whole of a shorter sentence: a word or a letter stands on any page.
        """
        wanted = fold(quote or "")
        words = len(_WORD.findall(wanted))
        return words > 0 and any(
            stands_in(wanted, text) and words >= min(_LEAST_QUOTED, len(_WORD.findall(text)))
            for text in self._as_read(numbers)
        )

    def names(self, actor: str, number: int) -> bool:
        """Whether ``actor`` stands in sentence ``number``, as the page has it or as it is when masked."""
        wanted = fold(actor)
        return any(stands_in(wanted, text) for text in self._as_read([number]))

    def _as_read(self, numbers: Iterable[int]) -> Iterator[str]:
        """Yield these sentences folded, each as the page has it and, if it is another then, masked."""
        from tryg_assets.domain.coding.claude.masking import mask  # it knows pages itself

        for number in numbers:
            if 1 <= number <= len(self.sentences):
                text = self.sentence(number)
                yield fold(text)
                if (masked := mask(text).text) != text:
                    yield fold(masked)


@dataclass(frozen=True, slots=True)
class NamedInitiative:
    """An initiative named on a page. Fields that the page does not state are ``None``."""

    name: str
    kind: str
    focus_areas: tuple[str, ...]
    themes: tuple[str, ...]
    sentence_ids: tuple[int, ...]
    quote: str
    target_group: str | None = None
    place: str | None = None
    department: str | None = None
    economy_dkk: float | None = None
    users_per_year: int | None = None
    organisation_form: str | None = None


@dataclass(frozen=True, slots=True)
class PageCoding:
    """The coding of one page. Only a page decided "yes" carries areas, themes and initiatives.

    ``input_tokens`` are those sent beside the prompt cache; ``cut`` means that the page was too long to be read whole.
    """

    is_initiative: Decision
    criterion: str | None
    confidence: float
    confident: bool
    evidence_ids: tuple[int, ...]
    quote: str | None
    rationale: str
    focus_areas: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    initiatives: tuple[NamedInitiative, ...] = ()
    problem: Problem | None = None
    cut: bool = False
    prompt_hash: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an actor stands in the closed taxonomy; master and subcategory are "uafklaret" if no rule places it."""

    canonical_name: str
    scope: Literal["national", "local"]
    master_category: str
    subcategory: str
    how_decided: str


@dataclass(frozen=True, slots=True)
class ActorMention:
    """An actor named in one sentence of a page, with the role the sentence gives it and its placement."""

    surface: str
    sentence_id: int
    role: Literal["ansvarlig", "udførende", "deltager", "målgruppe"]
    placement: Placement


class Coder(Protocol):
    """An engine: codes a page, then finds and places the actors of a page that describes an initiative.

    An engine that has to ask elsewhere is told ahead which pages are coming (``prepare``, ``prepare_actors``), so that it
    can ask for many at once. Coding a page that was not announced gives the same answer.
    """

    engine: str
    label: str
    codebook_hash: str

    def ready(self) -> None:
        """Check, before anything is read for it, that the engine could work at all.

        Raises:
            ConfigurationError: it could not.
        """
        ...

    def prepare(self, pages: Sequence[Page]) -> None:
        """Fetch what ``code`` will need for these pages."""
        ...

    def code(self, page: Page) -> PageCoding:
        """Decide whether the page describes an initiative, with evidence; name and classify what it describes."""
        ...

    def prepare_actors(self, pages: Sequence[Page]) -> None:
        """Fetch what ``actors`` will need for these pages."""
        ...

    def actors(self, page: Page, sentence_ids: tuple[int, ...] = ()) -> list[ActorMention]:
        """Find and place the actors named in these sentences (all sentences if none are given)."""
        ...

    def account(self) -> dict[str, str | int | float]:
        """Return what this engine has done and spent since it was made, for the run's metadata."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """A coding after the evidence rule: a yes whose quote is not on the page is a doubt."""

    coding: PageCoding
    quote_verified: bool
    problems: tuple[str, ...] = field(default=())


_FOLDED = str.maketrans(
    {
        "\u00ad": None,
        "\u200b": None,
        "\ufeff": None,
        "\u00a0": " ",
        "–": "-",
        "—": "-",
        "‑": "-",
        "”": '"',
        "“": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "’": "'",
        "‘": "'",
    }
)


def fold(text: str) -> str:
    """Fold what content systems vary without meaning: Unicode form, soft hyphens, dashes, quotes, spaces, case."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).translate(_FOLDED)).strip().casefold()


def stands_in(wanted: str, whole: str) -> bool:
    """Whether ``wanted`` stands in ``whole`` in whole words, a genitive -s aside; both are folded (:func:`fold`)."""
    at = whole.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        before = whole[max(0, at - 1) : at] + wanted[0]
        after = wanted[-1] + _GENITIVE.sub("", whole[end : end + 3])[:1]
        if not _INSIDE.match(before) and not _INSIDE.match(after):
            return True
        at = whole.find(wanted, at + 1)
    return False


_GENITIVE = re.compile(r"^'?s(?!\w)")
_INSIDE = re.compile(r"\w\w")  # two letters side by side: in the middle of a word


def verify(page: Page, coding: PageCoding) -> Checked:
    """Apply the evidence rule to ``coding``: the quote must stand in one of its evidence sentences."""
    found = page.says(coding.quote, coding.evidence_ids)
    if coding.is_initiative != "yes" or found:
        return Checked(coding, found)
    doubted = replace(
        coding,
        is_initiative="doubt",
        criterion=None,
        confident=False,
        focus_areas=(),
        themes=(),
        initiatives=(),
        problem="quote_not_found",
        rationale=f"{coding.rationale} Citatet blev ikke fundet på siden, så svaret er tvivl.",
    )
    return Checked(doubted, False, ("quote not found on the page",))
