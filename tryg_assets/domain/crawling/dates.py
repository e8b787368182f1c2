"""When a page was published and last updated, and which rule found it."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates of a page; ``source`` names the rule that found them: meta, json_ld, time, text, url, pdf, docx or header."""

    published: date | None = None
    updated: date | None = None
    source: str | None = None

    @property
    def latest(self) -> date | None:
        """The later of the two, or ``None`` if neither is known."""
        known = [day for day in (self.published, self.updated) if day]
        return max(known) if known else None

    def until(self, today: date | None) -> Dates:
        """Return the dates without those after ``today``."""
        return Dates(_until(self.published, today), _until(self.updated, today), self.source)


@dataclass(frozen=True, slots=True)
class _Rules:
    months: dict[str, int]
    moment: re.Pattern[str]
    alone: re.Pattern[str]
    label: re.Pattern[str]
    updated_labels: frozenset[str]
    event_labels: frozenset[str]
    updated_words: re.Pattern[str]
    event_names: re.Pattern[str]
    dated: str
    meta_published: tuple[str, ...]
    meta_updated: tuple[str, ...]
    earliest_year: int
    labels_reach: int


# Where a year stands, or a date with a year of two digits: cheap to find, then read closely.
_YEAR = re.compile(r"[0-9](?:[09][0-9]{2}|\s?[./-]\s?[0-9]{1,2}\s?[./ -]\s?[0-9]{2})")
_CLOCK = re.compile(r"[\s,]*(?:kl\.?|klokken)\s*\d")
_AROUND = 26  # characters before a year that its day and month may take
_MOST_NODES = 50  # that are read closely: lists of news have hundreds of dates
_MOST_YEARS = 200  # of one text: budgets have thousands
_SHORT = 60  # a line that is only a date
_BYLINE = 100  # a line with a date, a place, a name
_PERIOD = re.compile(r"\d\.?\s?[-–]\s?\d{1,2}[. ]|[.!?]$")
_JSON_LD = re.compile(r'"(datePublished|dateModified|dateCreated)"\s*:\s*"([^"]{4,40})')
_IN_ADDRESS = (
    re.compile(r"[/_-](?P<y>(?:19|20)\d\d)(?P<s>[/_-]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>[0-2]\d|3[01])(?!\d)"),
    re.compile(r"[/_-](?P<d>[0-2]\d|3[01])(?P<s>[/_-]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<y>(?:19|20)\d\d)(?!\d)"),
    re.compile(r"/(?P<y>(?:19|20)\d\d)/(?:(?P<m>\d{1,2})/(?:(?P<d>\d{1,2})/)?)?"),
)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")


@functools.cache
def _rules() -> _Rules:
    path = paths.CODEBOOK / "dates.yml"
    raw = read_yaml(path)
    try:
        every_month = {**raw["months_elsewhere"], **raw["months"]}
        months = _either(every_month)
        weekday = rf"(?:(?:{_either(raw['weekdays'])})\w*\.?,?\s+)?(?:d(?:en)?\.?\s*)?"
        moment = (
            r"(?:(?<!\d)(?P<y1>\d{4})\s?[-./年]\s?(?P<m1>\d{1,2})\s?[-./月]\s?(?P<d1>\d{1,2})(?!\d)"
            r"|(?<!\d)(?P<d2>\d{1,2})\s?(?P<sep>[./-])\s?(?P<m2>\d{1,2})\s?[./ -]\s?(?P<y2>\d{4}|\d{2})\b"
            rf"|(?:(?<!\d)(?P<d3>\d{{1,2}})(?:\.|st|nd|rd|th|er)?\s+(?:de\s+|of\s+)?)?\b(?P<m3>{months})\b\.?,?\s+(?:de\s+)?(?P<y3>\d{{4}})"
            rf"|\b(?P<m4>{months})\b\.?\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y4>\d{{4}}))"
        )
        labels = {*raw["updated_labels"], *raw["published_labels"]}
        return _Rules(
            months=every_month,
            moment=re.compile(moment, re.IGNORECASE),
            alone=re.compile(
                rf"(?:\w+:\s*)?{weekday}{moment}(?:[\s,–|-]*(?:kl\.?|klokken|at|um)?\s*\d{{1,2}}[:.]\d\d\b.{{0,12}})?\.?",
                re.IGNORECASE,
            ),
            label=re.compile(
                rf"\b(?P<label>{_either(labels)})\b[\s:.,|]*(?:er\s+|den\s+|d\.\s*|on\s+|am\s+|le\s+)?[\s:.,]*{weekday}$",
                re.IGNORECASE,
            ),
            updated_labels=frozenset(raw["updated_labels"]),
            event_labels=frozenset(raw["event_labels"]),
            updated_words=re.compile(_either(raw["updated_words"]), re.IGNORECASE),
            event_names=re.compile(_either(raw["event_names"]), re.IGNORECASE),
            dated=",".join(
                f'[{place}*="{name}"]' for name in raw["dated_names"] for place in ("class", "id")
            ),
            meta_published=tuple(raw["meta_published"]),
            meta_updated=tuple(raw["meta_updated"]),
            earliest_year=raw["earliest_year"],
            labels_reach=raw["labels_reach"],
        )
    except (KeyError, TypeError) as problem:
        raise DataFileError(
            path, "file", f"{problem} is missing or unknown", "Compare with git."
        ) from problem


def _either(words: Iterable[str]) -> str:
    """Return a pattern of any of ``words``, the longest that fits; by first letter, as each branch costs at each word."""
    rests: defaultdict[str, list[str]] = defaultdict(list)
    for word in sorted(words, key=lambda word: (-len(word), word)):
        rests[word[0]].append(re.escape(word[1:]))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in rests.items())


def parse_date(text: str) -> date | None:
    """Return the first date written in ``text`` in a Danish, ISO or foreign notation, or ``None``.

    A month without a day counts as its first day; a year of two digits is of this century up to 49; numbers alone are
    day and month, as in Denmark, unless only month and day make sense (``03/13/2021``).
    """
    match = _rules().moment.search(text)
    return _day_of(match) if match else None


def _day_of(match: re.Match[str]) -> date | None:
    rules = _rules()
    found = match.groupdict()
    if found["y1"]:
        year, month, day = int(found["y1"]), int(found["m1"]), int(found["d1"])
    elif found["y2"]:
        year, month, day = int(found["y2"]), int(found["m2"]), int(found["d2"])
        if month > 12 >= day and found["sep"] == "/":
            month, day = day, month
        if year < 100:
            year += 2000 if year < 50 else 1900
    elif found["y3"]:
        year, month, day = int(found["y3"]), rules.months[found["m3"].lower()], int(found["d3"] or 1)
    else:
        year, month, day = int(found["y4"]), rules.months[found["m4"].lower()], int(found["d4"])
    return _valid(year, month, day)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if _rules().earliest_year <= year <= 2100 else None
    except ValueError:
        return None


def find_dates(
    blocks: Iterable[str], url: str, tree: LexborHTMLParser | None = None, *, today: date | None = None
) -> Dates:
    """Find the dates of a page by the most trusted rule that finds any; none later than ``today``.

    ``blocks`` are all text blocks of the page, furniture included: bylines often stand there. Dates inside a sentence and
    dates of events and periods are no dates of the page.
    """
    if tree is not None and (found := marked_dates(tree, today)).source:
        return found
    return written_dates(blocks, url, dated_lines(tree) if tree is not None else (), today)


def marked_dates(tree: LexborHTMLParser, today: date | None = None) -> Dates:
    """Return the dates that markup states: meta, JSON-LD, ``time``."""
    metas: list[LexborNode] = []
    scripts: list[LexborNode] = []
    times: list[LexborNode] = []
    for node in tree.css('meta[content],script[type="application/ld+json"],time,[itemprop="datePublished"]'):
        (metas if node.tag == "meta" else scripts if node.tag == "script" else times).append(node)
    for rule, nodes in ((_from_meta, metas), (_from_json_ld, scripts), (_from_time, times)):
        if nodes and (found := rule(nodes, today)).source:
            return found
    return Dates()


def written_dates(
    blocks: Iterable[str], url: str, bylines: Iterable[str] = (), today: date | None = None
) -> Dates:
    """Return the dates that are written: in the text with a label, as a line of its own, in the address.

    ``bylines`` are lines that may name the date in other words: near the headline, or of elements that are called dates.
    """
    for found in (_from_text(blocks, bylines, today), _from_url(url, today)):
        if found.source:
            return found
    return Dates()


def _until(day: date | None, today: date | None) -> date | None:
    return None if day is None or (today is not None and day > today) else day


def _stated(value: str, today: date | None) -> date | None:
    """Return the date of an attribute or a field: also without separators (``20210303``)."""
    if compact := _COMPACT.match(value.strip()):
        return _until(_valid(*map(int, compact.groups())), today)
    return _until(parse_date(value), today)


def _from_meta(nodes: list[LexborNode], today: date | None) -> Dates:
    rules = _rules()
    values: dict[str, date] = {}
    for node in nodes:
        attributes = node.attrs
        name = (
            attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
        ).lower()
        if (name in rules.meta_published or name in rules.meta_updated) and (
            day := _stated(attributes.get("content") or "", today)
        ):
            values.setdefault(name, day)
    published = next((values[name] for name in rules.meta_published if name in values), None)
    updated = next((values[name] for name in rules.meta_updated if name in values), None)
    return Dates(published, updated, "meta") if published or updated else Dates()


def _from_json_ld(nodes: list[LexborNode], today: date | None) -> Dates:
    """Return the first dates stated; read as text, since the JSON of many pages is not well-formed."""
    values: dict[str, date] = {}
    for node in nodes:
        for name, value in _JSON_LD.findall(node.text() or ""):
            if name not in values and (day := _stated(value, today)):
                values[name] = day
    published = values.get("datePublished") or values.get("dateCreated")
    updated = values.get("dateModified")
    return Dates(published, updated, "json_ld") if published or updated else Dates()


def _from_time(nodes: list[LexborNode], today: date | None) -> Dates:
    rules = _rules()
    published: date | None = None
    updated: date | None = None
    for node in nodes[:_MOST_NODES]:
        attributes = node.attrs
        stated = attributes.get("datetime") or attributes.get("content") or ""
        day = _stated(stated, today) or _until(parse_date(node.text(deep=True)), today)
        if day is None or _elsewhere(node):
            continue
        around = node.parent.text(deep=True)[: rules.labels_reach] if node.parent else ""
        if rules.updated_words.search(
            f"{attributes.get('class') or ''} {attributes.get('itemprop') or ''} {around}"
        ):
            updated = updated or day
        else:
            published = published or day
    return Dates(published, updated, "time") if published or updated else Dates()


def _elsewhere(node: LexborNode) -> bool:
    """Return whether the node belongs to an event, a menu or a list of other pages."""
    above: LexborNode | None = node
    for _ in range(6):
        if above is None or above.tag in ("body", "html", "-document", "-undef") or not above.is_element_node:
            return False
        if above.tag in ("nav", "aside", "footer") or _rules().event_names.search(
            f"{above.attrs.get('class') or ''} {above.attrs.get('itemtype') or ''}"
        ):
            return True
        above = above.parent
    return False


def dated_lines(tree: LexborHTMLParser) -> Iterator[str]:
    """Yield the texts of short elements whose class or id says that they hold a date."""
    for node in tree.css(_rules().dated)[:_MOST_NODES]:
        text = " ".join(node.text(deep=True).split())
        if text and len(text) <= _BYLINE and not _elsewhere(node):
            yield text


def _moments(text: str) -> Iterator[tuple[int, int, date]]:
    """Yield start, end and day of each date in ``text``."""
    moment = _rules().moment
    done = 0
    for number, year in enumerate(_YEAR.finditer(text)):
        if number >= _MOST_YEARS:
            return
        if year.start() < done:
            continue
        match = moment.search(text, max(done, year.start() - _AROUND), year.end() + 12)
        if match and (day := _day_of(match)):
            done = match.end()
            yield match.start(), match.end(), day


def _from_text(blocks: Iterable[str], bylines: Iterable[str], today: date | None) -> Dates:
    rules = _rules()
    published: date | None = None
    updated: date | None = None
    alone: date | None = None
    any_moment = False
    text = "\n".join(blocks)
    for start, end, found in _moments(text):
        any_moment = True
        if (day := _until(found, today)) is None:
            continue
        label = rules.label.search(text, max(0, start - rules.labels_reach), start)
        if label is None:
            if alone is None:
                begin, stop = text.rfind("\n", 0, start) + 1, text.find("\n", end)
                line = text[begin : stop if stop >= 0 else len(text)]
                if len(line) < _SHORT and rules.alone.fullmatch(line):
                    alone = day
            continue
        name = label.group("label").lower()
        if name in rules.updated_labels:
            updated = updated or day
        elif not (name in rules.event_labels and _CLOCK.match(text, end)):
            published = published or day
    if any_moment and published is None and updated is None:
        published = next(_from_bylines(bylines, today), alone)
    return Dates(published, updated, "text") if published or updated else Dates()


def _from_bylines(lines: Iterable[str], today: date | None) -> Iterator[date]:
    """Yield the dates of lines that are no sentence and have one date; two dates are a period."""
    for line in lines:
        if len(line) > _BYLINE:
            continue
        days = [found for _, _, found in _moments(line)]
        if len(days) == 1 and not _PERIOD.search(line) and (day := _until(days[0], today)):
            yield day


def _from_url(url: str, today: date | None) -> Dates:
    for pattern in _IN_ADDRESS:
        if match := pattern.search(url):
            stated = match.groupdict()
            day = _valid(int(stated["y"]), int(stated["m"] or 1), int(stated["d"] or 1))
            if found := _until(day, today):
                return Dates(published=found, source="url")
    return Dates()


def is_dateline(text: str) -> bool:
    """Return whether a block only says when the page was published or updated: "Opdateret den 3. marts 2021"."""
    if len(text) > _SHORT or not _YEAR.search(text):
        return False
    match = _rules().moment.search(text)
    return (
        match is not None
        and len(text) - match.end() <= 1
        and (label := _rules().label.match(text, 0, match.start())) is not None
        and label.end() == match.start()
    )


def header_date(last_modified: str | None, today: date | None = None) -> Dates:
    """Return the date of a ``Last-Modified`` header (RFC 9110, 8.8.2) as an update, if it is before ``today``.

    A server that answers with the moment of the answer says nothing.
    """
    try:
        day = parsedate_to_datetime(last_modified or "").date()
    except ValueError:
        return Dates()
    known = today is None or day < today
    return Dates(updated=day, source="header") if known and day.year >= _rules().earliest_year else Dates()
