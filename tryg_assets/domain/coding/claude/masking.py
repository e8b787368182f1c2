"""Personal numbers and addresses are masked before a text leaves the machine; names of persons too in what is published.

What is masked: civil registration numbers (CPR), e-mail addresses and telephone numbers. In doubt a number is masked: a
hidden figure costs a reader little, a published one costs a person much. What is told apart all the same, because pages on
safety are full of it: years, dates, opening hours, amounts, case, company and postal numbers.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from tryg_assets.domain.actors.persons import without_persons
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.folding import folded
from tryg_assets.domain.privacy import privacy

CPR, EMAIL, PHONE, NAME = "[CPR]", "[e-mail]", "[telefon]", "[navn]"

_GAP = "[ \\t]"
# What stands for an @. An ending such as ".dk" must follow: machine-read texts have an @ for an "ø" ("ops@gende").
_AT = rf"@|%40|&#64;|[(\[{{<]{_GAP}?(?:at|a|snabel-?a){_GAP}?[)\]}}>]|(?<={_GAP})(?:snabel-?a|-at-)(?={_GAP})"
_DOT = rf"(?:\.|{_GAP}\.{_GAP}?(?=(?-i:[a-z]{{2,}})\b)|{_GAP}?[(\[{{<](?:dot|punktum)[)\]}}>]{_GAP}?|{_GAP}(?:dot|punktum){_GAP})"
_EMAIL = re.compile(
    rf"(?<![\w.+'’-])[\w.+'’-]++{_GAP}{{0,2}}(?:{_AT}){_GAP}{{0,2}}\w[\w-]*(?:{_DOT}\w[\w-]*)+", re.IGNORECASE
)
# Possessive, so that a run is always whole: "12345678" is never read as "1234567".
_RUN = re.compile(
    rf"(?<!\d)(?P<prefix>\(?(?:\+|00)45\)?{_GAP}?|\+)?"
    rf"(?P<digits>\d++(?:(?:{_GAP}{{1,2}}|[.\-/·_]|{_GAP}[\-/·]{_GAP})\d++)*+)"
)
_GROUP = re.compile(r"\d+")
# What every text to be masked has; nine sentences of ten have none of it.
_PERHAPS = re.compile(r"[@%&(\[{<]|[sS][nN]|-[aA]|(?:\d\D*+){6}")
_LOOK_BACK = 40
_YEARS = range(1900, 2100)
# How people group the digits of a number, with what stands between the groups.
_SEPARATORS = "[-./ ·_]"
_CPR_SHAPE = re.compile(
    rf"10|6[-/ ·_]4|2(?P<a>{_SEPARATORS})2(?P=a)2[-/ ·_]4|2(?P<b>{_SEPARATORS})2(?P=b)4[-/]4|6[-/]2 2|4 2[-/]4|(?:1 ){{9}}1"
)
_PHONE_SHAPE = re.compile(
    rf"8|2(?P<a>{_SEPARATORS})2(?P=a)2(?P=a)2|4[-. ]4|2 3 3|3 2 3|3 3 2|2 6|4 2 2|2 2 4|(?:1 ){{7}}1"
)
# These are a telephone number only where no other figures stand beside them.
_ALONE = ("4 2 2", "2 2 4", "1 1 1 1 1 1 1 1")
_CPR_DIGITS, _PHONE_DIGITS = range(10, 13), range(8, 9)
_TABLE = 40  # groups of two digits
_CASE_BEFORE = re.compile(r"(?<!\d)\d{1,6}/$")
_CASE_AFTER = re.compile(r"/\d{1,6}(?!\d)")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without personal numbers, and how many of each kind were in it ("cpr", "e-mail", "telefon")."""

    text: str
    counts: Mapping[str, int]


def mask(text: str) -> Masked:
    """Replace CPR numbers by ``[CPR]``, e-mail addresses by ``[e-mail]`` and telephone numbers by ``[telefon]``.

    Masking twice is masking once, and no line is added or lost. Sentences must be masked one by one (``masked_page``):
    their ends can be found otherwise in a masked text.

    Raises:
        DataFileError: ``data/privacy.yml`` is wrong.
    """
    if not _PERHAPS.search(folded(text).text):
        return Masked(text, {})
    counts: Counter[str] = Counter()
    before = None
    while before != text:  # what is left of a run of digits may read differently without the rest
        before = text
        for find in (_emails, _numbers):
            text = _replaced(text, find, counts)
    return Masked(text, dict(counts))


def masked_page(page: Page) -> tuple[Page, dict[str, int]]:
    """Return ``page`` with title and sentences masked, and how many of each kind were masked; sentence numbers stay."""
    counts: Counter[str] = Counter()

    def masked(text: str) -> str:
        found = mask(text)
        if found.counts:
            counts.update(found.counts)
        return found.text

    sentences = tuple(
        sentence if (text := masked(sentence.text)) == sentence.text else replace(sentence, text=text)
        for sentence in page.sentences
    )
    return replace(page, title=masked(page.title), sentences=sentences), dict(counts)


def published(text: str) -> Masked:
    """Mask a text of a page for everything that is published: as ``mask``, and names of persons become ``[navn]``.

    Office holders are masked too: who is a private person cannot be told from a name, and what is published is about
    municipalities.
    """
    masked = mask(text)
    named, persons = without_persons(masked.text, NAME)
    return Masked(named, dict(+Counter({**masked.counts, "navn": persons})))


class _Found(NamedTuple):
    """Something to be masked, and where it stands."""

    start: int
    end: int
    kind: str


_PLACEHOLDERS = {"e-mail": EMAIL, "cpr": CPR, "telefon": PHONE}


def _replaced(text: str, find: Callable[[str], Iterator[_Found]], counts: Counter[str]) -> str:
    """Replace what ``find`` finds in the folded ``text``; the rest stays as it is spelled."""
    plain = folded(text)
    pieces, at = [], 0
    for found in find(plain.text):
        start, end = plain.where(found.start, found.end)
        pieces += [text[at:start], _PLACEHOLDERS[found.kind]]
        counts[found.kind] += 1
        at = end
    return "".join(pieces) + text[at:] if pieces else text


def _emails(text: str) -> Iterator[_Found]:
    for match in _EMAIL.finditer(text):
        yield _Found(match.start(), match.end(), "e-mail")


def _numbers(text: str) -> Iterator[_Found]:
    for match in _RUN.finditer(text):
        if len(match["digits"]) >= _PHONE_DIGITS.start:
            yield from _in_run(_Run.of(match))


@dataclass(frozen=True, slots=True)
class _Words:
    phone: re.Pattern[str]
    other: re.Pattern[str]
    amount: re.Pattern[str]
    cpr: re.Pattern[str]


@functools.cache
def _words() -> _Words:
    lists = {
        name: "|".join(re.escape(word).replace(r"\*", r"[\w.\-]*") for word in words)
        for name, words in privacy().model_dump().items()
    }
    # A word, and at most three short words more ("telefonnummeret til os er", "ring på").
    before = r"(?<!\w)(?:{})\.?(?:[^\w\n]+[a-zæøå]{{1,6}}\.?){{0,3}}[^\w\n]*$"
    return _Words(
        phone=re.compile(before.format(lists["phone_words"]), re.IGNORECASE),
        other=re.compile(
            r"(?<!\w)(?:{})[.\-]?(?:nr|nummer)?[^\w\n]*$".format(lists["other_words"]), re.IGNORECASE
        ),
        amount=re.compile(rf"{_GAP}?(?:,\d|(?:{lists['amount_words']})(?!\w))", re.IGNORECASE),
        cpr=re.compile(before.format(lists["cpr_words"]), re.IGNORECASE),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Groups of digits with at most a separator between them, and the line they stand in."""

    text: str
    start: int
    prefix: str
    groups: tuple[re.Match[str], ...]

    @classmethod
    def of(cls, match: re.Match[str]) -> _Run:
        groups = tuple(_GROUP.finditer(match.string, match.start("digits"), match.end()))
        return cls(match.string, match.start(), match["prefix"] or "", groups)

    def lengths(self, first: int, last: int) -> tuple[int, ...]:
        return tuple(len(group[0]) for group in self.groups[first:last])

    def shape(self, first: int, last: int) -> str:
        """Return how the digits are grouped: "2-2-2-2"."""
        lengths = map(str, self.lengths(first, last))
        return "".join(
            itertools.chain.from_iterable(
                itertools.zip_longest(lengths, self.separators(first, last), fillvalue="")
            )
        )

    def digits(self, first: int, last: int) -> str:
        return "".join(group[0] for group in self.groups[first:last])

    def separators(self, first: int, last: int) -> list[str]:
        """Return what stands between the groups, without spaces around a mark: " ", ".", "-", "/", "·" or "_"."""
        between = (
            self.text[one.end() : other.start()] for one, other in itertools.pairwise(self.groups[first:last])
        )
        return [part.strip() or " " for part in between]

    def before(self, first: int) -> str:
        start = self.start if first == 0 else self.groups[first].start()
        return self.text[max(0, start - _LOOK_BACK) : start]

    def after(self, last: int) -> str:
        end = self.groups[last - 1].end()
        return self.text[end : end + _LOOK_BACK]


def _in_run(run: _Run) -> Iterator[_Found]:
    """Yield the numbers in a run of digits that are somebody's."""
    first = 0
    while first < len(run.groups):
        start = run.groups[first].start()
        if last := _cpr_end(run, first):
            yield _Found(start, run.groups[last - 1].end(), "cpr")
        elif last := _phone_end(run, first):
            yield _Found(run.start if first == 0 else start, run.groups[last - 1].end(), "telefon")
        first = last or first + 1


def _ends(run: _Run, first: int, wanted: range) -> Iterator[int]:
    """Yield each group after which a ``wanted`` number of digits has come since group ``first``."""
    count = 0
    for last, group in enumerate(run.groups[first : first + wanted.stop], first + 1):
        count += len(group[0])
        if count >= wanted.stop:
            return
        if count in wanted:
            yield last


def _shaped(run: _Run, first: int, wanted: range, shape: re.Pattern[str]) -> int | None:
    """Return the group after the number of this ``shape`` that begins with group ``first``, if one does."""
    return next((last for last in _ends(run, first, wanted) if shape.fullmatch(run.shape(first, last))), None)


def _cpr_end(run: _Run, first: int) -> int | None:
    """Return the group after the CPR number that begins with group ``first``, if one does.

    Its first six digits are a date (day + 60 in substitute numbers), or a word says what it is.
    """
    last = _shaped(run, first, _CPR_DIGITS, _CPR_SHAPE)
    if last is None:
        return None
    digits = run.digits(first, last)
    is_date = int(digits[:2]) % 60 in range(1, 32) and int(digits[2:4]) in range(1, 13)
    return last if _words().cpr.search(run.before(first)) or (is_date and not _glued(run, first)) else None


def _phone_end(run: _Run, first: int) -> int | None:
    """Return the group after the telephone number that begins with group ``first``, if one does."""
    words, before = _words(), run.before(first)
    if first == 0 and run.prefix == "+":
        return _end_of(run, first, range(8, 16))
    has_prefix = first == 0 and bool(run.prefix)
    if not has_prefix and words.other.search(before):
        return None
    elsewhere = _abroad(run, first) or _with_country_code(run, first)
    if has_prefix or words.phone.search(before):
        return elsewhere or _end_of(run, first, _PHONE_DIGITS)
    if _glued(run, first):
        return None
    last = _shaped(run, first, _PHONE_DIGITS, _PHONE_SHAPE)
    return last if last and not _something_else(run, first, last) else elsewhere


def _abroad(run: _Run, first: int) -> int | None:
    """Return the end of a number with 00 and the code of a country before it."""
    is_abroad = re.match("00[1-9]", run.groups[first][0])
    return _end_of(run, first, range(11, 18)) if is_abroad else None


def _with_country_code(run: _Run, first: int) -> int | None:
    """Return the end of ten digits that begin with 45, grouped as one or in twos."""
    for count in (1, 5):
        last = first + count
        digits = run.digits(first, last)
        grouped = run.lengths(first, last) in ((10,), (2,) * 5)
        if grouped and digits.startswith("45") and digits[2] in "23456789" and _twos(run, first) in (0, 5):
            return last
    return None


def _end_of(run: _Run, first: int, wanted: range) -> int | None:
    """Return where the longest stretch of groups ends that has a ``wanted`` number of digits and is no amount."""
    ends = [last for last in _ends(run, first, wanted) if not _words().amount.match(run.after(last))]
    return ends[-1] if ends else None


def _something_else(run: _Run, first: int, last: int) -> bool:
    """Whether eight digits that are grouped like a telephone number are an amount, a date, a range, a row of figures ..."""
    digits, shape, after = run.digits(first, last), run.shape(first, last), run.after(last)
    if digits[0] in "01" or _words().amount.match(after) or _count_up(run, first, last):
        return True
    if shape in _ALONE:
        is_alone = first == 0 and last == len(run.groups)
        return not is_alone or int(digits[:4]) in _YEARS or int(digits[4:]) in _YEARS
    if shape == "8":
        is_date = int(digits[:4]) in _YEARS and "01" <= digits[4:6] <= "12" and "01" <= digits[6:] <= "31"
        return is_date or re.match(r"[.-]\d", after) is not None or _CASE_AFTER.match(after) is not None
    lengths = run.lengths(first, last)
    if lengths == (2, 2, 2, 2):
        twos = _twos(run, first)
        return twos >= _TABLE or twos % 4 != 0  # more groups of two than numbers in a row: a table
    if lengths == (4, 4):
        one, other = int(digits[:4]), int(digits[4:])
        is_range = shape == "4-4" and one < other and one % 10 == other % 10 == 0
        are_round = one % 100 == other % 100 == 0  # "4200 4400": a row of a table
        return is_range or are_round or (one in _YEARS and other in _YEARS)
    return run.lengths(last, last + 1) == (3,)


def _count_up(run: _Run, first: int, last: int) -> bool:
    """Whether each group is one more than the one before it: "23 24 25 26" are years."""
    numbers = [int(group[0]) for group in run.groups[first:last]]
    return last - first > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _twos(run: _Run, first: int) -> int:
    """Return how many groups of two digits stand in a row from group ``first``, with those before it that could begin a number.

    More than a table's worth are not counted, so that an endless row of figures takes no longer than a short one.
    """
    nearby = run.groups[max(0, first - _TABLE) : first]
    before = itertools.takewhile(lambda group: len(group[0]) == 2 and group[0] >= "20", reversed(nearby))
    after = itertools.takewhile(lambda group: len(group[0]) == 2, run.groups[first : first + _TABLE])
    return sum(1 for _ in before) + sum(1 for _ in after)


def _glued(run: _Run, first: int) -> bool:
    """Whether what stands right before the group makes it part of something longer, such as a case number."""
    start = run.start if first == 0 else run.groups[first].start()
    before = run.text[max(0, start - 8) : start]
    return bool(before[-1:].isalpha() or _CASE_BEFORE.search(before) or re.search(r"\d[.-]$", before))
