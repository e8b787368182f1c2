"""Focus areas and themes of a text, by weighted terms with saturation and a statistic over pieces of words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tryg_assets.domain.coding.codebook import Topics
from tryg_assets.domain.coding.reading import Line
from tryg_assets.domain.coding.statistics import area_statistics


def weigh(
    title: Line, lines: Iterable[Line], evidence: Sequence[int], rules: Topics
) -> list[tuple[float, Line]]:
    """Return the lines with their weights: title, headings and evidence say more than the rest."""
    weighted = [(rules.title_weight, title)]
    for line in lines:
        weight = rules.heading_weight if line.heading else 1.0
        weighted.append((max(weight, rules.evidence_weight) if line.number in evidence else weight, line))
    return weighted


def scores(weighted: Iterable[tuple[float, Line]], rules: Topics) -> dict[str, float]:
    """Return the score of each area and each ``area/theme``.

    A term counts with x / (x + 1) of twice its weight, where x is the weight of the lines it is in: said once it counts
    its weight, said often at most twice that.
    """
    mass: defaultdict[tuple[str, str], float] = defaultdict(float)
    for weight, line in weighted:
        for label, term in rules.terms.best(line.folded, line.words):
            mass[label, term] += weight
    found: defaultdict[str, float] = defaultdict(float)
    for (label, term), x in mass.items():
        weight = dict(rules.terms.labels[term])[label]
        value = weight * 2 * x / (x + 1)
        found[label] += value
        area, _, theme = label.partition("/")
        if theme and weight >= rules.theme_term_least and area not in dict(rules.terms.labels[term]):
            found[area] += value * rules.theme_term_share
    return dict(found)


def assign(
    weighted: Sequence[tuple[float, Line]], rules: Topics, *, always: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (focus areas, themes of these areas), the strongest first.

    With ``always`` the best area is assigned however weak it is; there is none only if no term is found.
    """
    found = scores(weighted, rules)
    whole = {name: score * rules.scale.get(name, 1.0) for name, score in found.items() if "/" not in name}
    areas = _areas(whole, _log_odds(weighted), rules, always)
    themes: list[str] = []
    for area in areas:
        within = {
            name.partition("/")[2]: score for name, score in found.items() if name.startswith(f"{area}/")
        }
        themes += _pick(within, rules.theme_least, rules.theme_share_of_best, rules.theme_most)
    return tuple(areas), tuple(themes)


def _log_odds(weighted: Sequence[tuple[float, Line]]) -> dict[str, float]:
    """Return the statistic's log odds of each area; the first line is the title."""
    (_, title), *rest = weighted
    return area_statistics().logits(title.text, " ".join(line.text for _, line in rest))


def _areas(found: dict[str, float], log_odds: dict[str, float], rules: Topics, always: bool) -> list[str]:
    """Return the areas that terms and statistic together speak for, the strongest first.

    Without a single term found there is no area, whatever the statistic says.
    """
    if not found:
        return []
    best = max(found.values())
    together = {}
    for name, odds in log_odds.items():
        score = found.get(name, 0.0)
        by_terms = rules.area_log_weight * math.log1p(score) + rules.area_share_weight * score / best
        together[name] = (
            rules.area_terms_weight * (by_terms - rules.area_limit) + odds - rules.area_log_odds_limit
        )
    ranked = sorted(together.items(), key=lambda entry: (-entry[1], entry[0]))[: rules.area_most]
    return [name for name, value in ranked if value >= 0] or [name for name, _ in ranked[:1] if always]


def _pick(found: dict[str, float], least: float, share_of_best: float, most: int) -> list[str]:
    limit = max(least, share_of_best * max(found.values(), default=0.0))
    ranked = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    return [name for name, score in ranked if score >= limit][:most]
