"""Fit the focus area statistic again: ``python -m benchmarks.fit_focus_areas`` (after changing its texts).

Trained on the development two thirds of the sample's initiative texts, on short texts written for this purpose
(``data/gold/training``) and on the descriptions of areas and themes. The held-out third is never read.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from tryg_assets import paths
from tryg_assets.domain.coding.statistics import ABOUT, SIZES, TABLE, read_statistics
from tryg_assets.domain.reference import focus_areas, read_yaml
from tryg_assets.domain.sample_web.texts import held_out
from tryg_assets.ids import content_hash
from tryg_assets.storage import write_text

TRAINING = paths.GOLD / "training"
AREAS = list(focus_areas())
KEPT = 9000
STRENGTH = 10.0


@dataclass(frozen=True)
class Example:
    """A text with its areas. ``group`` keeps tellings of one initiative in one fold; ``judged`` are those that score."""

    group: str
    title: str
    text: str
    areas: tuple[str, ...]
    judged: bool

    @property
    def words(self) -> str:
        return f"{self.title} . {self.title} . {self.text}"


def _plain(text: str) -> str:
    return re.sub(r"\{[^}]*\}", " ", text)


def examples() -> list[Example]:
    found = []
    for path in sorted((paths.SAMPLE_WEB / "texts").glob("*.yml")):
        for entry in read_yaml(path):
            if entry["label"] != "initiative" or held_out(entry["id"]):
                continue
            areas = tuple(entry["areas"])
            found.append(Example(entry["id"], _plain(entry["title"]), _plain(entry["body"]), areas, True))
            if "news" in entry:
                found.append(
                    Example(entry["id"], _plain(entry["news_title"]), _plain(entry["news"]), areas, False)
                )
    for path in sorted(TRAINING.glob("*.yml")):
        for number, entry in enumerate(read_yaml(path)):
            found.append(
                Example(f"{path.stem}-{number}", entry["title"], entry["text"], tuple(entry["areas"]), False)
            )
    for area in focus_areas().values():
        told = " ".join(f"{theme.name} {theme.description}" for theme in area.themes)
        found.append(Example(area.id, area.name, f"{area.description} {told}", (area.id,), False))
        found += [
            Example(theme.id, theme.name, theme.description, (area.id,), False) for theme in area.themes
        ]
    return found


def _targets(part: list[Example]) -> np.ndarray:
    return np.array([[area in example.areas for area in AREAS] for example in part])


def _vectorizer(vocabulary: list[str] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(SIZES[0], SIZES[-1]),
        min_df=1 if vocabulary else 3,
        sublinear_tf=True,
        vocabulary=vocabulary,
    )


def fit(part: list[Example]) -> tuple[TfidfVectorizer, np.ndarray, np.ndarray]:
    """Return vectoriser, weights (n-gram x area) and intercepts, on the n-grams that tell most."""
    targets = _targets(part)
    texts = [example.words for example in part]

    def regress(vectorizer: TfidfVectorizer) -> tuple[np.ndarray, np.ndarray]:
        x = vectorizer.fit_transform(texts)
        models = [
            LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(x, y) for y in targets.T
        ]
        return np.array([m.coef_[0] for m in models]).T, np.array([m.intercept_[0] for m in models])

    first = _vectorizer()
    weights, _ = regress(first)
    order = np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:KEPT]
    grams = sorted(first.get_feature_names_out()[order])
    second = _vectorizer(grams)
    weights, intercepts = regress(second)
    return second, weights, intercepts


def f1(said: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (said & true).sum() / (said.sum() + true.sum()))


def decide(logits: np.ndarray, limit: float) -> np.ndarray:
    said = logits >= limit
    said[np.arange(len(logits)), logits.argmax(axis=1)] = True
    return said


def cross_validate(found: list[Example], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold log odds and truth of the judged examples, five folds by initiative."""
    groups = sorted({example.group for example in found if example.judged})
    random.Random(seed).shuffle(groups)
    logits, truth = [], []
    for fold in range(5):
        out = set(groups[fold::5])
        vectorizer, weights, intercepts = fit([example for example in found if example.group not in out])
        test = [example for example in found if example.judged and example.group in out]
        logits.append(vectorizer.transform([example.words for example in test]) @ weights + intercepts)
        truth.append(_targets(test))
    return np.vstack(logits), np.vstack(truth)


def main() -> None:
    found = examples()
    logits, truth = cross_validate(found, 1)
    scores = {limit: f1(decide(logits, limit), truth) for limit in np.round(np.arange(-1.6, 0.6, 0.1), 1)}
    limit = max(scores, key=lambda value: scores[value])
    print(
        f"{len(found)} examples; out of fold, n = {len(truth)} texts: micro-F1 {scores[limit]:.3f} at log odds {limit}"
    )
    vectorizer, weights, intercepts = fit(found)
    grams = vectorizer.get_feature_names_out()
    rows = [",".join(["ngram", "idf", *AREAS])]
    for gram, idf, row in zip(grams, vectorizer.idf_, weights, strict=True):
        quoted = '"' + gram.replace('"', '""') + '"'
        rows.append(",".join([quoted, f"{idf:.2f}", *(f"{value:.2f}" for value in row)]))
    write_text(TABLE, "\n".join(rows) + "\n")
    ids = sorted({example.group for example in found})
    about = {
        "what": "One logistic regression per focus area on character n-grams (tf-idf). Weights are in focus_area_statistics.csv.",
        "refit": "python -m benchmarks.fit_focus_areas",
        "trained_on": {"examples": len(found), "ids_sha256": content_hash("\n".join(ids)), "ids": ids},
        "cross_validated": {
            "micro_f1": round(scores[limit], 3),
            "log_odds_limit": float(limit),
            "n_texts": len(truth),
        },
        "intercepts": {area: round(float(value), 3) for area, value in zip(AREAS, intercepts, strict=True)},
    }
    write_text(Path(ABOUT), yaml.safe_dump(about, allow_unicode=True, sort_keys=False))
    shipped = read_statistics(TABLE, ABOUT)
    worst = 0.0
    for example in found[:40]:
        wanted = vectorizer.transform([example.words]) @ weights + intercepts
        got = list(shipped.logits(example.title, example.text).values())
        worst = max(worst, float(np.abs(wanted[0] - got).max()))
    print(
        f"shipped weights reproduce the fit within {worst:.3f} (log odds, two decimals kept); {TABLE.stat().st_size // 1000} kB"
    )


if __name__ == "__main__":
    main()
