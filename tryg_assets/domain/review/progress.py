"""How far the review is."""

from __future__ import annotations

from dataclasses import dataclass

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.review import store
from tryg_assets.domain.review.adjudication import by_page, disagreements, waiting
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.inbox import waiting_files


@dataclass(frozen=True, slots=True)
class Reviewer:
    """How far one person is, in pages. ``sent`` and ``left`` are of the present sample. ``incomplete``: called an initiative, but not all eleven areas answered."""

    name: str
    sent: int
    answered: int
    left: int
    doubt: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far everybody is, in pages as they are now; answers about a text that has changed since do not count."""

    reviewers: tuple[Reviewer, ...]
    double_coded: int
    alike: int
    waiting: int
    gold_versions: tuple[str, ...]
    replies: int
    inbox: int


def progress(desk: Desk) -> Progress:
    """Return how far the review is. A page that is no longer in the sample need not be answered any more."""
    codings, sent = desk.codings(), store.assigned(desk.state)
    sample = set(desk.lake.read("review_sample")["page_id"])
    blind = [entry for entry in codings if entry.kind == "coding"]
    reviewers = []
    for name in sorted({*sent, *(entry.coder for entry in blind)}):
        own = [entry for entry in blind if entry.coder == name]
        pages = {page for page in sent.get(name, set()) if page in sample}
        reviewers.append(
            Reviewer(
                name=name,
                sent=len(pages),
                answered=len(own),
                left=len(pages - {entry.page_id for entry in own}),
                doubt=sum(entry.decision == "doubt" for entry in own),
                incomplete=sum(
                    entry.decision == "yes" and len(entry.areas) < len(focus_areas()) for entry in own
                ),
            )
        )
    double = sum(len(entries) > 1 for entries in by_page(blind, "coding").values())
    return Progress(
        reviewers=tuple(reviewers),
        double_coded=double,
        alike=double - len(disagreements(blind)),
        waiting=len(waiting(codings)),
        gold_versions=tuple(store.gold_versions(desk.state)),
        replies=len(store.latest_replies(desk.state)),
        inbox=len(waiting_files(desk.folder)),
    )
