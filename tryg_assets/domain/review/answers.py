"""From the cells of a returned workbook to answers: every cell is checked, the good rows are taken, the others named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review.pages import sealed
from tryg_assets.domain.review.words import ReviewWords, review_words
from tryg_assets.domain.review.workbook_reader import Cell, Table, Workbook
from tryg_assets.errors import DataFileError

_NEW_SHEET = "Hent et nyt ark (tryg review export), og svar på siden dér."


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page as it is now, for judging answers about it."""

    municipality: str
    url: str
    text_sha256: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A passage a reviewer marked as evidence or as an actor; ``label`` says as what."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer about one page. ``areas`` holds those answered: yes or no."""

    page_id: str
    text_sha256: str
    decision: str
    areas: Mapping[str, str]
    comment: str = ""
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A municipality's answer about one initiative, or about one that is missing (``initiative_id`` is ``None``)."""

    initiative_id: str | None
    name: str
    answer: str
    link: str
    comment: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was not taken, where to look, and what to do (Danish)."""

    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}. {self.remedy}"


@dataclass(slots=True)
class Findings:
    """What was found in a file: answers, rows that are wrong, remarks, and the number of rows without an answer."""

    answers: list[Answer] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    blank: int = 0


class _Wrong(Exception):
    """A cell that cannot be taken; the row is then named and passed over."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.place, self.problem, self.remedy = place, problem, remedy


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table, read by the ids of columns instead of their headings."""

    table: Table
    number: int
    cells: Mapping[str, Cell]
    words: ReviewWords

    def text(self, column: str) -> str:
        """Return what stands in a cell, or nothing."""
        cell = self.cells.get(self.words.heading(column))
        if cell is None:
            return ""
        if cell.formula:
            raise self.wrong(column, "en formel kan ikke være et svar", "Skriv svaret som tekst.")
        return cell.text

    def choice(self, column: str, question: str) -> str | None:
        """Return the answer chosen or typed in a cell, ``None`` if it is empty."""
        typed = self.text(column)
        if not typed:
            return None
        value = self.words.understand(question, typed)
        if value is None:
            known = ", ".join(self.words.labels(question))
            raise self.wrong(
                column, f"svaret '{typed[:60]}' kendes ikke", f"Skriv {known}, eller lad cellen stå tom."
            )
        return value

    def wrong(self, column: str, problem: str, remedy: str) -> _Wrong:
        """Return the error that names this row and the column."""
        heading = self.words.heading(column)
        letters = self.table.headings.get(heading)
        at = f"celle {letters}{self.number} ({heading})" if letters else f"række {self.number}"
        return _Wrong(f"arket »{self.table.sheet}«, {at}", problem, remedy)


def read_answers(path: str, book: Workbook, known: Mapping[str, KnownPage]) -> Findings:
    """Read the answers of a coding or adjudication workbook.

    A row without any answer counts as not answered. A row is passed over, and named, if its id or text was changed, if
    the page has changed since, or if an answer is not understood.

    Raises:
        DataFileError: the table, or a column without which no answer can be placed, is missing.
    """
    words = review_words()
    table = _table_with(path, book, "decision", words)
    found = Findings()
    areas = list(focus_areas())
    missing = [
        column
        for column in ("text", *areas, "rest", "comment")
        if words.heading(column) not in table.headings
    ]
    found.remarks += [
        f"kolonnen »{words.heading(column)}« mangler eller står to gange i arket og er ikke læst"
        for column in missing
    ]
    read: list[tuple[_Row, Answer]] = []
    for row in _rows(table, words):
        try:
            answer = _answer(row, areas, known)
        except _Wrong as wrong:
            found.problems.append(Problem(wrong.place, wrong.problem, wrong.remedy))
            continue
        if answer is None:
            found.blank += 1
        else:
            read.append((row, answer))
    found.answers = list(_once(read, found))
    return found


def _rows(table: Table, words: ReviewWords) -> Iterator[_Row]:
    for number, cells in table.rows:
        yield _Row(table, number, cells, words)


def _table_with(path: str, book: Workbook, column: str, words: ReviewWords) -> Table:
    """Return the table that has both the row ids and ``column``."""
    needed = {words.heading("row_id"), words.heading(column)}
    for table in book.tables:
        if needed <= table.headings.keys():
            return table
    there = {heading for table in book.tables for heading in table.headings}
    lost = ", ".join(f"»{heading}«" for heading in sorted(needed - there)) or "en af dem"
    raise DataFileError(
        path,
        "overskrifterne",
        f"kolonnen {lost} mangler eller står to gange, så svarene kan ikke placeres",
        "Sæt den ind igen fra det oprindelige ark, og send filen igen; der er ikke gået svar tabt.",
    )


def _answer(row: _Row, areas: list[str], known: Mapping[str, KnownPage]) -> Answer | None:
    given = {area: value for area in areas if (value := row.choice(area, "area"))}
    decision, rest, comment = (
        row.choice("decision", "decision"),
        row.choice("rest", "rest"),
        row.text("comment"),
    )
    if not (decision or given or rest or comment):
        return None
    page_id, page = _page(row, known)
    if decision is None:
        label = " / ".join(row.words.labels("decision"))
        raise row.wrong("decision", "rækken har andre svar, men ikke dette", f"Vælg {label}.")
    if decision == "no":
        if said_yes := [area for area in areas if given.get(area) == "yes"]:
            problem = f"der er svaret ja, men siden er '{row.words.label('decision', 'no')}'"
            raise row.wrong(said_yes[0], problem, "Ret det ene af de to svar.")
        given = dict.fromkeys(areas, "no")
    elif rest:
        # "The rest is no" speaks of the areas in the sheet: a column that was deleted was never answered.
        given = {
            area: given.get(area, "no")
            for area in areas
            if area in given or row.words.heading(area) in row.table.headings
        }
    return Answer(page_id, page.text_sha256, decision, given, comment)


def _page(row: _Row, known: Mapping[str, KnownPage]) -> tuple[str, KnownPage]:
    """Return the page a row is about, after checking its seal."""
    page_id, version = _unsealed(row, "text")
    page = known.get(page_id)
    if page is None:
        problem = "siden findes ikke i denne samling"
        raise row.wrong(
            "row_id", problem, "Arket er fra en anden samling, eller siden er væk fra hjemmesiden."
        )
    if page.text_sha256[:16] != version:
        raise row.wrong("row_id", "sidens tekst er ændret på hjemmesiden, siden arket blev lavet", _NEW_SHEET)
    return page_id, page


def _unsealed(row: _Row, shown: str) -> tuple[str, str]:
    """Return subject and version of a row's id. The text in column ``shown`` must be the one that was sealed."""
    row_id = row.text("row_id")
    subject, _, rest = row_id.partition("-")
    version, _, checksum = rest.partition("-")
    if not checksum:
        raise row.wrong("row_id", f"rækkens id '{row_id[:60]}' mangler eller er ændret", _NEW_SHEET)
    if row.words.heading(shown) in row.table.headings and sealed(subject, version, row.text(shown)) != row_id:
        raise row.wrong(
            shown, "teksten eller rækkens id er ændret, så det er uvist, hvad der er svaret på", _NEW_SHEET
        )
    return subject, version


def _once(read: list[tuple[_Row, Answer]], found: Findings) -> Iterator[Answer]:
    """Yield one answer per page; rows of one page with different answers are named and passed over."""
    by_page: dict[str, list[tuple[_Row, Answer]]] = {}
    for row, answer in read:
        by_page.setdefault(answer.page_id, []).append((row, answer))
    for entries in by_page.values():
        if all(answer == entries[0][1] for _, answer in entries):
            yield entries[0][1]
            continue
        numbers = ", ".join(str(row.number) for row, _ in entries)
        wrong = entries[-1][0].wrong(
            "row_id", f"række {numbers} er den samme side med forskellige svar", "Behold den ene."
        )
        found.problems.append(Problem(wrong.place, wrong.problem, wrong.remedy))


def read_replies(path: str, book: Workbook, names: Mapping[str, str]) -> Findings:
    """Read a municipality's reply: its answer to each initiative, and the initiatives it misses.

    ``names`` are the names of its initiatives by id; a reply to one that is no longer found keeps the name in the file.

    Raises:
        DataFileError: the table of initiatives, or a column without which no answer can be placed, is missing.
    """
    words = review_words()
    found = Findings()
    tables = [(_table_with(path, book, "reply", words), _reply)]
    tables += [(table, _missing) for table in book.tables if words.heading("missing_name") in table.headings]
    seen: dict[str | None, Reply] = {}
    for table, read in tables:
        for row in _rows(table, words):
            try:
                reply = read(row, names)
                if (
                    reply is not None
                    and reply.initiative_id
                    and seen.setdefault(reply.initiative_id, reply) != reply
                ):
                    raise row.wrong(
                        "row_id", "indsatsen står to gange med forskellige svar", "Behold den ene."
                    )
            except _Wrong as wrong:
                found.problems.append(Problem(wrong.place, wrong.problem, wrong.remedy))
                continue
            if reply is None:
                found.blank += 1
            elif reply not in found.replies:
                found.replies.append(reply)
    return found


def _reply(row: _Row, names: Mapping[str, str]) -> Reply | None:
    answer, comment = row.choice("reply", "reply"), row.text("comment")
    if not (answer or comment):
        return None
    initiative_id, _ = _unsealed(row, "quote")
    if answer is None:
        label = " / ".join(row.words.labels("reply"))
        raise row.wrong("reply", "der er en kommentar, men intet svar", f"Vælg {label}.")
    return Reply(initiative_id, names.get(initiative_id) or row.text("name"), answer, "", comment)


def _missing(row: _Row, names: Mapping[str, str]) -> Reply | None:
    name, link, comment = row.text("missing_name"), row.text("missing_link"), row.text("comment")
    if not (name or link or comment):
        return None
    if not name:
        raise row.wrong("missing_name", "indsatsens navn mangler", "Skriv, hvad indsatsen hedder.")
    if link and not link.startswith(("http://", "https://")):
        raise row.wrong(
            "missing_link", f"'{link[:60]}' er ikke et link", "Begynd med https:// eller lad cellen stå tom."
        )
    return Reply(None, name, "missing", link, comment)
