"""Linear statistics over character n-grams that stand beside the term lists: of focus areas, and of the page
decision.

Danish makes compounds freely, so lists of words never end; pieces of words carry over. One logistic regression per label,
fitted on texts written for this project by ``python -m benchmarks.fit_statistics``. Counting and weighing, no model of
language.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError

FOCUS_AREAS = paths.CODEBOOK / "focus_area_statistics.csv"
PAGES = paths.CODEBOOK / "page_statistics.csv"
SENTENCES = paths.CODEBOOK / "sentence_statistics.csv"
INITIATIVE = "initiative"  # the one label of the statistics of pages and sentences
SIZES = (3, 4, 5)
_SPACE = re.compile(r"\s+")


def ngrams(text: str) -> Counter[str]:
    """Count the character n-grams within words of ``text`` in lower case; words are padded with a space each side.

    A padded word shorter than n counts once as it is (as scikit-learn's ``char_wb`` does).
    """
    counts: Counter[str] = Counter()
    for word, times in Counter(_SPACE.sub(" ", text.lower()).split()).items():
        padded = f" {word} "
        for size in SIZES:
            if len(padded) <= size:
                counts[padded] += times
                break
            for start in range(len(padded) - size + 1):
                counts[padded[start : start + size]] += times
    return counts


@dataclass(frozen=True)
class Statistics:
    """Weights by n-gram (row) and label (column), and what is needed to apply them."""

    labels: tuple[str, ...]
    rows: dict[str, int]
    idf: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def logits(self, title: str, text: str) -> dict[str, float]:
        """Return the log odds of each label for a text; the title counts twice."""
        counts = ngrams(f"{title} . {title} . {text}")
        found = [(self.rows[gram], count) for gram, count in counts.items() if gram in self.rows]
        if not found:
            return dict(zip(self.labels, self.intercepts.tolist(), strict=True))
        index = np.fromiter((row for row, _ in found), dtype=np.int64)
        values = (1 + np.log(np.fromiter((count for _, count in found), dtype=float))) * self.idf[index]
        values /= np.sqrt((values**2).sum())
        return dict(zip(self.labels, (values @ self.weights[index] + self.intercepts).tolist(), strict=True))


def read_statistics(table: Path) -> Statistics:
    """Read the weights in ``table`` and what is said about them in the YAML file of the same name.

    Raises:
        DataFileError: a file is missing or they do not fit each other.
    """
    about = table.with_suffix(".yml")
    intercepts = read_yaml(about)["intercepts"]
    labels = tuple(intercepts)
    try:
        frame = pl.read_csv(table, schema_overrides={"ngram": pl.String})
        weights = frame.select(labels).to_numpy().astype(float)
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise DataFileError(
            table,
            "file",
            f"it does not fit {about.name} ({problem})",
            "Fit both again: python -m benchmarks.fit_statistics.",
        ) from problem
    return Statistics(
        labels=labels,
        rows={gram: row for row, gram in enumerate(frame["ngram"])},
        idf=frame["idf"].to_numpy().astype(float),
        weights=weights,
        intercepts=np.array([float(intercepts[label]) for label in labels]),
    )


@functools.cache
def area_statistics() -> Statistics:
    """Return the shipped weights of the focus areas."""
    return read_statistics(FOCUS_AREAS)


@functools.cache
def page_statistics() -> Statistics:
    """Return the shipped weights of the wording of pages; the one label is ``INITIATIVE``."""
    return read_statistics(PAGES)


@functools.cache
def sentence_statistics() -> Statistics:
    """Return the shipped weights of the wording of sentences with a safety word; the one label is ``INITIATIVE``."""
    return read_statistics(SENTENCES)
