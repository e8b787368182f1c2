"""What the sentences of an initiative state: target group, place, department, money, users, form of organisation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tryg_assets.domain.coding.codebook import Attributes
from tryg_assets.domain.coding.lexicon import Lexicon
from tryg_assets.domain.coding.reading import Line


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated; ``None`` where nothing is."""

    target_group: str | None
    place: str | None
    department: str | None
    economy_dkk: float | None
    users_per_year: int | None
    organisation_form: str | None


def stated(lines: Sequence[Line], rules: Attributes) -> Stated:
    """Return what these lines state. Of several sums the largest counts, since parts are mostly named beside the whole."""
    return Stated(
        target_group=_commonest(lines, rules.target_groups),
        place=_first(lines, rules.places),
        department=_first(lines, rules.departments),
        economy_dkk=max((amount for line in lines for amount in amounts(line.text, rules)), default=None),
        users_per_year=max((count for line in lines for count in _users(line.text, rules)), default=None),
        organisation_form=_commonest(lines, rules.forms, least=2),
    )


def amounts(text: str, rules: Attributes) -> list[float]:
    """Return the sums in kroner that ``text`` names, small prices aside."""
    found = []
    for match in rules.money.finditer(text):
        number = float(match["amount"].replace(".", "").replace(",", "."))
        found.append(round(number * rules.money_factors[(match["unit"] or "").lower()], 2))
    return [amount for amount in found if amount >= rules.money_least]


def _users(text: str, rules: Attributes) -> list[int]:
    # A year ("i 2024 ...") is no number of users.
    found = [
        int(match["before"].replace(".", "")) for match in rules.users.finditer(text) if "kr" not in match[0]
    ]
    return [count for count in found if count > 4 and not 1990 <= count <= 2100]


def _commonest(lines: Sequence[Line], lexicon: Lexicon, least: int = 1) -> str | None:
    """Return the label most lines have a term of, if at least ``least`` do."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(lexicon.labels_in(line.folded, line.words).keys())
    best = min(counts, key=lambda name: (-counts[name], name), default=None)
    return best if best is not None and counts[best] >= least else None


def _first(lines: Sequence[Line], pattern: re.Pattern[str]) -> str | None:
    matches = (pattern.search(line.text) for line in lines if not line.heading)
    return next((match[0] for match in matches if match), None)
