"""Fit the statistics of the offline engine again: ``python -m benchmarks.fit_statistics`` (after changing its texts).

Trained on the development two thirds of the sample's texts, on texts written for this purpose (``data/gold/training``), on the
development part of the texts modelled on real pages (``data/gold/modelled``) and on the descriptions of areas and themes. What is
held out is never read. Beside the files it prints weights for the signals of ``relevance.yml``: those are taken over by hand.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.texts import Text, modelled, training
from tryg_assets import paths
from tryg_assets.domain.coding.interface import Page
from tryg_assets.domain.coding.offline_rules import OfflineRules, safety_sentences, wording
from tryg_assets.domain.coding.reading import read
from tryg_assets.domain.coding.statistics import (
    FOCUS_AREAS,
    INITIATIVE,
    PAGES,
    SENTENCES,
    SIZES,
    read_statistics,
)
from tryg_assets.domain.reference import focus_areas, read_yaml
from tryg_assets.domain.reliability.coefficients import YesNo
from tryg_assets.domain.sample_web.texts import held_out
from tryg_assets.ids import content_hash
from tryg_assets.storage import write_text

AREAS = list(focus_areas())
KEPT = 9000
STRENGTH = 10.0
FOLDS = 5
PULL = 3.0  # of a signal's weight towards nothing, in examples
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A text with its decision and areas. ``group`` keeps tellings of one initiative, or pages of one site, in one fold;
    ``judged`` are those that score."""

    group: str
    title: str
    text: str
    initiative: bool
    areas: tuple[str, ...]
    judged: bool


def _plain(text: str) -> str:
    return re.sub(r"\{[^}]*\}", " ", text)


def _of(text: Text, *, judged: bool) -> Example:
    return Example(text.group, text.title, text.text, text.initiative, text.areas, judged)


def sample_texts() -> list[Example]:
    """Return the development texts of the sample, initiatives and others."""
    found = []
    for path in sorted((paths.SAMPLE_WEB / "texts").glob("*.yml")):
        for entry in read_yaml(path):
            if held_out(entry["id"]):
                continue
            yes = entry["label"] == "initiative"
            areas = tuple(entry["areas"]) if yes else ()
            for title, body in (("title", "body"), ("news_title", "news")):
                if body in entry:
                    texts = _plain(entry[title]), _plain(entry[body])
                    found.append(Example(entry["id"], *texts, yes, areas, body == "body"))
    return found


def descriptions() -> list[Example]:
    """Return the names and descriptions of areas and themes as texts."""
    found = []
    for area in focus_areas().values():
        told = " ".join(f"{theme.name} {theme.description}" for theme in area.themes)
        texts = [(area.id, area.name, f"{area.description} {told}")]
        texts += [(theme.id, theme.name, theme.description) for theme in area.themes]
        found += [Example(*text, True, (area.id,), False) for text in texts]
    return found


def _vectorizer(vocabulary: list[str] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(SIZES[0], SIZES[-1]),
        min_df=1 if vocabulary else 3,
        sublinear_tf=True,
        vocabulary=vocabulary,
    )


@dataclass(frozen=True)
class Fit:
    """Fitted weights (n-gram x label) and intercepts, on the n-grams that tell most."""

    vectorizer: TfidfVectorizer
    weights: Matrix
    intercepts: Matrix

    @classmethod
    def to(
        cls, texts: Sequence[tuple[str, str]], targets: NDArray[np.bool_], weights: Matrix | None = None
    ) -> Fit:
        """Fit one logistic regression per column of ``targets`` (text x label) on titles and texts, which may have weights."""
        said = [_words(*text) for text in texts]

        def regress(vectorizer: TfidfVectorizer) -> tuple[Matrix, Matrix]:
            x = vectorizer.fit_transform(said)
            models = [
                LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(x, y, weights)
                for y in targets.T
            ]
            return np.array([m.coef_[0] for m in models]).T, np.array([m.intercept_[0] for m in models])

        first = _vectorizer()
        found, _ = regress(first)
        order = np.argsort(-np.abs(found).max(axis=1), kind="stable")[:KEPT]
        second = _vectorizer(sorted(first.get_feature_names_out()[order]))
        return cls(second, *regress(second))

    def logits(self, texts: Sequence[tuple[str, str]]) -> Matrix:
        """Return the log odds (text x label)."""
        found: Matrix = self.vectorizer.transform([_words(*text) for text in texts]) @ self.weights
        return found + self.intercepts


def _words(title: str, text: str) -> str:
    return f"{title} . {title} . {text}"


def out_of_fold(
    groups: Sequence[str],
    texts: Sequence[tuple[str, str]],
    targets: NDArray[np.bool_],
    weights: Matrix | None = None,
) -> Matrix:
    """Return the log odds of each text (text x label) from a fit without the texts of its group."""
    logits = np.zeros(targets.shape)
    for out in _folds(groups, seed=1):
        kept, test = np.flatnonzero(~out), np.flatnonzero(out)
        part = None if weights is None else weights[kept]
        fitted = Fit.to([texts[at] for at in kept], targets[kept], part)
        logits[test] = fitted.logits([texts[at] for at in test])
    return logits


def _folds(groups: Sequence[str], seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which texts are left out, fold by fold; a group is left out whole."""
    names = sorted(set(groups))
    random.Random(seed).shuffle(names)
    for fold in range(FOLDS):
        out = set(names[fold::FOLDS])
        yield np.array([group in out for group in groups])


def f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float(2 * (said & true).sum() / (said.sum() + true.sum()))


def decide(logits: Matrix, limit: float) -> NDArray[np.bool_]:
    said: NDArray[np.bool_] = logits >= limit
    said[np.arange(len(logits)), logits.argmax(axis=1)] = True
    return said


def write(
    table: Path, fitted: Fit, labels: list[str], about: dict[str, object], texts: list[tuple[str, str]]
) -> None:
    """Write the table of weights and, beside it, how it was made; check that what was written gives the same log odds."""
    grams = fitted.vectorizer.get_feature_names_out()
    rows = [",".join(["ngram", "idf", *labels])]
    for gram, idf, row in zip(grams, fitted.vectorizer.idf_, fitted.weights, strict=True):
        quoted = '"' + gram.replace('"', '""') + '"'
        rows.append(",".join([quoted, f"{idf:.2f}", *(f"{value:.2f}" for value in row)]))
    write_text(table, "\n".join(rows) + "\n")
    intercepts = {
        label: round(float(value), 3) for label, value in zip(labels, fitted.intercepts, strict=True)
    }
    head = about | {"refit": "python -m benchmarks.fit_statistics", "intercepts": intercepts}
    write_text(table.with_suffix(".yml"), yaml.safe_dump(head, allow_unicode=True, sort_keys=False))
    shipped = read_statistics(table)
    got = np.array([list(shipped.logits(*text).values()) for text in texts[:40]])
    worst = float(np.abs(got - fitted.logits(texts[:40])).max())
    print(
        f"{table.name}: reproduces the fit within {worst:.3f} (log odds); {table.stat().st_size // 1000} kB"
    )


def _trained_on(found: list[Example]) -> dict[str, object]:
    ids = sorted({example.group for example in found})
    return {"examples": len(found), "ids_sha256": content_hash("\n".join(ids)), "ids": ids}


def fit_areas(found: list[Example]) -> None:
    """Fit the statistic of focus areas on texts of initiatives."""
    texts = [(example.title, example.text) for example in found]
    targets = np.array([[area in example.areas for area in AREAS] for example in found])
    judged = np.array([example.judged for example in found])
    logits = out_of_fold([example.group for example in found], texts, targets)[judged]
    truth = targets[judged]
    scores = {limit: f1(decide(logits, limit), truth) for limit in np.round(np.arange(-1.6, 0.6, 0.1), 1)}
    limit = max(scores, key=lambda value: scores[value])
    print(
        f"focus areas, {len(found)} examples; out of fold, n = {len(truth)}: F1 {scores[limit]:.3f} at log odds {limit}"
    )
    about = {
        "what": "One logistic regression per focus area on character n-grams (tf-idf).",
        "trained_on": _trained_on(found),
        "cross_validated": {
            "micro_f1": round(scores[limit], 3),
            "log_odds_limit": float(limit),
            "n_texts": len(truth),
        },
    }
    write(FOCUS_AREAS, Fit.to(texts, targets), AREAS, about, texts)


def fit_pages(found: list[Example]) -> None:
    """Fit the statistics of the page decision, of pages and of their safety sentences, and print weights for the signals."""
    rules = OfflineRules()
    signals = rules.book.relevance.signals
    readings = [
        read(Page.of("", "", "", example.title, example.text), rules.book.relevance) for example in found
    ]
    groups = [example.group for example in found]
    y = np.array([example.initiative for example in found])

    texts = [wording(reading) for reading in readings]
    pages = out_of_fold(groups, texts, y[:, None])[:, 0]
    said = [(at, sentence) for at, reading in enumerate(readings) for sentence in safety_sentences(reading)]
    of = np.array([at for at, _ in said])
    sentences = [("", sentence) for _, sentence in said]
    # A page that says the word often counts for more than one that says it once, but not as often.
    often = 1 / np.sqrt(np.bincount(of, minlength=len(found))[of])
    odds = out_of_fold([groups[at] for at in of], sentences, y[of][:, None], often)[:, 0]
    best = [np.sort(odds[of == at])[-2:].mean() if (of == at).any() else 0.0 for at in range(len(found))]

    values = [rules.signals(reading) for reading in readings]
    x = np.array([[seen[name] for name in signals] for seen in values])
    most = np.array([signal.most for signal in signals.values()])
    for name, fitted in (("wording", pages), ("sentences", np.array(best))):
        x[:, list(signals).index(name)] = fitted
    x = np.clip(x, -most, most)
    signs = np.sign([signal.weight for signal in signals.values()])
    scores = np.zeros(len(found))
    for out in _folds(groups, seed=2):
        weights, start = _signed(x[~out], y[~out], signs)
        scores[out] = x[out] @ weights + start
    for name, mark in (("modelled pages", True), ("sample", False)):
        those = np.array([example.judged and example.group.startswith("m-") == mark for example in found])
        table = YesNo.count([bool(v) for v in scores[those] >= 0], [bool(v) for v in y[those]])
        print(
            f"page decision, {name}, out of fold, n = {table.n}: kappa {table.kappa:.3f}, precision {table.precision:.3f}, "
            f"recall {table.recall:.3f}"
        )
    weights, start = _signed(x, y, signs)
    print(f"weights (limit {-start:.2f}):")
    for (name, signal), weight in zip(signals.items(), weights, strict=True):
        print(f"  {name:<14} {weight:6.2f}   (now {signal.weight})")
    about = {
        "what": "A logistic regression of the page decision on character n-grams (tf-idf) of pages.",
        "trained_on": _trained_on(found),
    }
    write(PAGES, Fit.to(texts, y[:, None]), [INITIATIVE], about, texts)
    about["what"] = "The same on sentences with a safety word, each taken as its page was decided."
    write(SENTENCES, Fit.to(sentences, y[of][:, None], often), [INITIATIVE], about, sentences)


def _signed(x: Matrix, y: NDArray[np.bool_], signs: Matrix) -> tuple[Matrix, float]:
    """Return weights of a logistic regression that keep these signs, and the intercept."""
    spread = x.std(axis=0) + 1e-9
    scaled = x / spread

    def loss(b: Matrix) -> tuple[float, Matrix]:
        z = np.where(y, 1, -1) * (scaled @ b[:-1] + b[-1])
        slope = -np.where(y, 1, -1) / (1 + np.exp(z))
        value = float(np.logaddexp(0, -z).sum() + PULL * (b[:-1] ** 2).sum() / 2)
        return value, np.append(scaled.T @ slope + PULL * b[:-1], slope.sum())

    bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs] + [(None, None)]
    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return found.x[:-1] / spread, float(found.x[-1])


def main() -> None:
    pages = [_of(text, judged=True) for text in modelled(held_out=False)]
    written = [_of(text, judged=False) for text in training()]
    both = sample_texts() + pages
    fit_areas([example for example in both + written if example.initiative] + descriptions())
    fit_pages(both + [example for example in written if example.group.startswith("p")])


if __name__ == "__main__":
    main()
