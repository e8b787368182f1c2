"""What comes back: a file is read, its good rows are taken, and a receipt says what was not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tryg_assets.domain.review import store
from tryg_assets.domain.review.adjudication import ADJUDICATED, settled_answers, waiting
from tryg_assets.domain.review.answers import Findings, KnownPage, read_answers, read_replies
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.label_studio import read_export
from tryg_assets.domain.review.words import review_words
from tryg_assets.domain.review.workbook_reader import Workbook, read_workbook
from tryg_assets.errors import DataFileError
from tryg_assets.ids import content_hash
from tryg_assets.storage import write_text

_KINDS = {"coding": "kodning", "adjudication": "afgørelse", "reply": "svar fra kommunen"}


@dataclass(frozen=True, slots=True)
class Received:
    """What one person's part of a file came to."""

    kind: str
    who: str
    stored: store.Stored
    findings: Findings

    def lines(self) -> list[str]:
        """Return it in words (Danish)."""
        new, changed, unchanged = self.stored.new, self.stored.changed, self.stored.unchanged
        wrong = self.findings.problems
        return [
            f"{_KINDS[self.kind].capitalize()}, {self.who}: {new} nye svar, {changed} ændrede (de tidligere er gemt), "
            f"{unchanged} uændrede, {self.findings.blank} ikke besvaret, {len(wrong)} afvist.",
            *(f"  AFVIST {problem}" for problem in wrong),
            *(f"  Bemærk: {remark}" for remark in self.findings.remarks),
        ]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a file. ``refused`` is why nothing of it was read; ``gold`` the gold version it completed."""

    file: str
    parts: tuple[Received, ...] = ()
    refused: str = ""
    gold: str = ""
    waiting: int = 0

    @property
    def whole(self) -> bool:
        """Whether every answer in the file was taken."""
        return not self.refused and not any(part.findings.problems for part in self.parts)

    @property
    def taken(self) -> int:
        """Number of answers that are new or changed."""
        return sum(part.stored.new + part.stored.changed for part in self.parts)

    def text(self) -> str:
        """Return the receipt in words (Danish)."""
        lines = [self.file]
        if self.refused:
            lines.append(f"AFVIST, intet er læst ind: {self.refused}")
        for part in self.parts:
            lines += part.lines()
        if self.waiting:
            lines.append(
                f"{self.waiting} uenigheder venter på en afgørelse; først da dannes en ny version af guldet."
            )
        if self.gold:
            lines.append(f"Alle uenigheder er afgjort: ny version {self.gold}.")
        return "\n".join(lines) + "\n"


def import_file(desk: Desk, path: Path) -> Receipt:
    """Read one returned file (workbook or Label Studio export) and store its answers.

    Reading the same file again changes nothing. When an adjudication settles the last disagreement, the settled answers
    become a new gold version. Nothing is raised for a bad file: the receipt says what is wrong with it.
    """
    try:
        digest = content_hash(path.read_bytes())
        source = store.Source(path.name, digest, desk.clock())
        parts = _parts(desk, path, source)
    except DataFileError as problem:
        return Receipt(path.name, refused=f"{problem.where}: {problem.problem}. {problem.remedy}")
    except OSError as problem:
        return Receipt(path.name, refused=f"den kan ikke læses ({problem.strerror}).")
    if not any(part.kind == "adjudication" for part in parts):
        return Receipt(path.name, parts)
    codings = desk.codings()
    left, answers = len(waiting(codings)), settled_answers(codings)
    frozen = [*store.gold_versions(desk.state).values()][-1:]
    same = frozen and [{key: row[key] for key in answers[0]} for row in frozen[0]] == answers
    gold = (
        store.store_gold(desk.state, ADJUDICATED, answers, desk.clock())
        if answers and not (left or same)
        else ""
    )
    return Receipt(path.name, parts, gold=gold, waiting=left)


def _parts(desk: Desk, path: Path, source: store.Source) -> tuple[Received, ...]:
    if path.suffix.lower() == ".json":
        known = desk.known()
        exported = read_export(path, known)
        _same_corpus(desk, path, exported.corpus)
        return tuple(
            _coded(desk, "coding", coder, findings, known, source)
            for coder, findings in exported.findings.items()
        )
    words = review_words()
    tell_tales = ("row_id", "decision", "reply", "missing_name")
    book = read_workbook(path, frozenset(words.heading(column) for column in tell_tales))
    _same_corpus(desk, path, book.corpus)
    if book.kind == "reply":
        return (_replied(desk, path, book, source),)
    if book.kind not in _KINDS:
        raise DataFileError(path, "filen", f"slagsen '{book.kind}' kendes ikke", "Hent et nyt ark.")
    known = desk.known()
    return (_coded(desk, book.kind, book.reviewer, read_answers(path.name, book, known), known, source),)


def _same_corpus(desk: Desk, path: Path, corpus: str) -> None:
    if corpus != desk.corpus:
        remedy = "Læg den i den mappe (TRYG_HOME), den kom fra."
        raise DataFileError(
            path, "filen", f"den hører til samlingen '{corpus}', ikke '{desk.corpus}'", remedy
        )


def _coded(
    desk: Desk, kind: str, who: str, findings: Findings, known: Mapping[str, KnownPage], source: store.Source
) -> Received:
    return Received(
        kind, who, store.store_codings(desk.state, kind, who, findings.answers, known, source), findings
    )


def _replied(desk: Desk, path: Path, book: Workbook, source: store.Source) -> Received:
    if book.reviewer not in desk.names:
        raise DataFileError(
            path, "filen", f"kommunen '{book.reviewer}' er ikke på listen", "Hent et nyt ark."
        )
    initiatives = desk.lake.scan("classified_initiatives").select("initiative_id", "name").collect()
    findings = read_replies(path.name, book, dict(initiatives.iter_rows()))
    return Received(
        "reply",
        book.reviewer,
        store.store_replies(desk.state, book.reviewer, findings.replies, source),
        findings,
    )


def waiting_files(folder: Path) -> list[Path]:
    """Return the files in the inbox, sorted; what begins with a dot or ``~`` is a program's own half-written file."""
    return sorted(
        path
        for path in (folder / "inbox").glob("*")
        if path.is_file() and not path.name.startswith((".", "~"))
    )


def import_inbox(desk: Desk) -> list[Receipt]:
    """Import every file in the inbox and move it to ``done``, or to ``rejected`` if any answer in it was not taken.

    Beside it a text file of the same name says what became of it.
    """
    receipts = []
    for path in waiting_files(desk.folder):
        receipt = import_file(desk, path)
        folder = desk.folder / ("done" if receipt.whole else "rejected")
        folder.mkdir(parents=True, exist_ok=True)
        name, number = path.name, 1
        while (folder / name).exists():
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        # The receipt first: a run killed in between finds the file still in the inbox, and reading it again changes nothing.
        write_text(folder / f"{name}.txt", receipt.text())
        path.replace(folder / name)
        receipts.append(receipt)
    return receipts
