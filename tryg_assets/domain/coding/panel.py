"""Two codings of the same pages side by side: two engines, two models, or two wordings of the codebook.

Agreement between machines says how much a result depends on the choice between them. It says nothing about who is right: that
is what reference codings are for.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryg_assets.domain.coding.interface import Coder, Page
from tryg_assets.domain.coding.pages import coding_row
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.reliability.intervals import wilson
from tryg_assets.errors import ConfigurationError
from tryg_assets.ids import stable_id

ALL_AREAS = "alle"
PAGE = "page"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said about one page, after the evidence rule."""

    page_id: str
    url: str
    is_initiative: str
    focus_areas: tuple[str, ...]
    rationale: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Answer:
        """Take the answer from a row of ``page_codings``."""
        areas = tuple(sorted(row["focus_areas"]))
        return cls(row["page_id"], row["url"], row["is_initiative"], areas, row["rationale"])

    @property
    def yes(self) -> bool:
        """Whether it counts as an initiative: a doubt does not."""
        return self.is_initiative == "yes"


@dataclass(frozen=True, slots=True)
class Flip:
    """A page that two codings answer differently: decisions, areas lost and gained, and why the second says so."""

    page_id: str
    url: str
    before: str
    now: str
    areas_lost: tuple[str, ...]
    areas_gained: tuple[str, ...]
    why: str


def pages_of_choice(page_ids: Iterable[str], count: int) -> list[str]:
    """Return up to ``count`` page ids, chosen by hash: the same of the same corpus, whatever the order, and no one's choice."""
    return sorted(set(page_ids), key=lambda page_id: stable_id("canary", page_id))[:count]


def answers(engine: Coder, pages: Sequence[Page]) -> list[Answer]:
    """Code ``pages`` and apply the evidence rule."""
    engine.prepare(pages)
    return [Answer.of(coding_row(page, engine)) for page in pages]


def compare(first: Iterable[Answer], second: Iterable[Answer], areas: Sequence[str]) -> list[dict[str, Any]]:
    """Return the agreement of two codings on the pages both have: the decision, each focus area, and all areas pooled.

    Columns: item ("page", an area, "alle"), n, both_yes, first_only, second_only, both_no, percent_agreement with its 95 %
    Wilson interval (ci_low, ci_high), kappa (Cohen). Shares are ``None`` for n = 0. A doubt counts as no. Areas are compared on
    the pages that both call an initiative.
    """
    other = {answer.page_id: answer for answer in second}
    pairs = [(answer, other[answer.page_id]) for answer in first if answer.page_id in other]
    tables = [(PAGE, YesNo.count([one.yes for one, _ in pairs], [two.yes for _, two in pairs]))]
    both = [(one, two) for one, two in pairs if one.yes and two.yes]
    pooled = YesNo(0, 0, 0, 0)
    for area in areas:
        table = YesNo.count(
            [area in one.focus_areas for one, _ in both], [area in two.focus_areas for _, two in both]
        )
        pooled = pooled + table
        tables.append((area, table))
    return [_row(item, table) for item, table in [*tables, (ALL_AREAS, pooled)]]


def _row(item: str, table: YesNo) -> dict[str, Any]:
    interval = wilson(table.agreed, table.n)
    return {
        "item": item,
        "n": table.n,
        "both_yes": table.both_yes,
        "first_only": table.engine_only,
        "second_only": table.reference_only,
        "both_no": table.both_no,
        "percent_agreement": table.agreed / table.n if table.n else None,
        "ci_low": interval.low if interval else None,
        "ci_high": interval.high if interval else None,
        "kappa": table.kappa,
    }


def flips(before: Iterable[Answer], now: Iterable[Answer]) -> Iterator[Flip]:
    """Yield the pages whose decision or areas differ, those with another decision first."""
    old = {answer.page_id: answer for answer in before}
    pairs = [(old[answer.page_id], answer) for answer in now if answer.page_id in old]
    pairs.sort(key=lambda pair: (pair[0].is_initiative == pair[1].is_initiative, pair[0].page_id))
    for one, two in pairs:
        lost, gained = (
            set(one.focus_areas) - set(two.focus_areas),
            set(two.focus_areas) - set(one.focus_areas),
        )
        if one.is_initiative != two.is_initiative or lost or gained:
            yield Flip(
                one.page_id,
                two.url,
                one.is_initiative,
                two.is_initiative,
                tuple(sorted(lost)),
                tuple(sorted(gained)),
                two.rationale,
            )


@dataclass(frozen=True, slots=True)
class Panelist:
    """Who codes: an engine, with another model or another folder of the codebook if one is named."""

    engine: str
    model: str | None = None
    codebook: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Panelist:
        """Read ``engine[:model][@folder]``, such as ``claude:claude-haiku-5-5@new/codebook``.

        Raises:
            ConfigurationError: the folder holds no codebook.
        """
        named, _, folder = text.partition("@")
        engine, _, model = named.partition(":")
        codebook = Path(folder).resolve() if folder else None
        if codebook is not None and not (codebook / "definition.yml").is_file():
            raise ConfigurationError(
                f"{codebook} holds no codebook (definition.yml). Copy data/codebook, change the copy, and name its folder."
            )
        return cls(engine, model or None, codebook)

    def answers(self, pages: Sequence[Page], variables: Mapping[str, str]) -> list[Answer]:
        """Code ``pages`` in a process of its own, so that two codebooks never meet in one.

        ``variables`` are the settings. Errors are those of the engine.
        """
        own = {"TRYG_ENGINE": self.engine} | ({"TRYG_MODEL": self.model} if self.model else {})
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            1, mp_context=spawn, initializer=_start, initargs=({**variables, **own}, self.codebook)
        ) as pool:
            return pool.submit(_answers, self.engine, list(pages)).result()


def _start(variables: dict[str, str], codebook: Path | None) -> None:
    from tryg_assets import paths

    os.environ.update(variables)
    if codebook is not None:
        paths.CODEBOOK = codebook


def _answers(engine: str, pages: list[Page]) -> list[Answer]:
    from tryg_assets.domain.coding import coder

    return answers(coder(engine), pages)
