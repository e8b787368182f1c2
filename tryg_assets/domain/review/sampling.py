"""The stratified random sample of coded pages."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

# Half of the labels go to confident "no": that is where misses hide, and without labels there no interval holds.
_SHARES = {"yes/confident": 0.20, "yes/unsure": 0.15, "no/unsure": 0.15, "no/confident": 0.50}


def draw_sample(codings: pl.DataFrame, size: int, seed: int) -> list[dict[str, Any]]:
    """Draw ``size`` pages (or all, if fewer) of one engine's ``page_codings``, stratified by decision and confidence.

    Places a stratum cannot fill go to the others in proportion to what they have left. Same codings and seed, same
    sample. Returns rows of ``review_sample`` with the size of the stratum and the inclusion probability.
    """
    strata = {
        name: codings.filter(
            ((pl.col("is_initiative") == "yes") == name.startswith("yes"))
            & (pl.col("confident") == name.endswith("/confident"))
        )
        for name in _SHARES
    }
    sizes = {name: part.height for name, part in strata.items()}
    counts = allocate(size, sizes)
    rows: list[dict[str, Any]] = []
    for number, (name, part) in enumerate(strata.items()):
        part = part.sort("page_id")
        picked = np.random.default_rng([seed, number]).choice(part.height, counts[name], replace=False)
        for row in part[sorted(picked.tolist())].iter_rows(named=True):
            rows.append(
                {
                    **{column: row[column] for column in ("page_id", "municipality", "url", "engine")},
                    "stratum": name,
                    "stratum_size": sizes[name],
                    "stratum_sampled": counts[name],
                    "inclusion_probability": counts[name] / sizes[name],
                    "seed": seed,
                }
            )
    return rows


def allocate(size: int, sizes: dict[str, int]) -> dict[str, int]:
    """Share ``size`` places among strata by the design's shares, never more than a stratum holds."""
    size = min(size, sum(sizes.values()))
    counts = {name: min(sizes[name], int(size * _SHARES[name])) for name in sizes}
    while (left := size - sum(counts.values())) > 0:
        free = {name: sizes[name] - counts[name] for name in sizes if sizes[name] > counts[name]}
        total = sum(free.values())
        for name, room in sorted(free.items(), key=lambda item: -item[1]):
            more = min(room, max(1, left * room // total), size - sum(counts.values()))
            counts[name] += more
    return counts
