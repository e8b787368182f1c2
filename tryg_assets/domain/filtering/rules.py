"""The rules of ``data/codebook/cleaning.yml``, typed and compiled."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import date

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class JobAdRules:
    """What a job advertisement looks like."""

    address: Pattern
    title: Pattern
    phrases: tuple[str, ...]
    least_phrases: int
    most_words: int


@dataclass(frozen=True, slots=True)
class CleaningRules:
    """Everything the cleaning step goes by."""

    cutoff: date
    least_words: int
    near_duplicate_jaccard: float
    shingle_words: int
    senses: tuple[tuple[str, Pattern], ...]
    ambiguous: frozenset[str]
    addresses: Pattern
    insurer_followers: frozenset[str]
    insurer_leaders: frozenset[str]
    insurer_context: tuple[str, ...]
    job_ad: JobAdRules
    twin_address: Pattern
    twin_contained: float


# Names first; misread forms before noise, because "utrykke" would else look like a compound of "tryk".
_SENSE_ORDER = ("name", "misread", "noise", "safe")


def _any(patterns: list[str], *, whole: bool = False) -> Pattern:
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(rf"^(?:{joined})$" if whole else joined, re.IGNORECASE)


@functools.cache
def cleaning_rules() -> CleaningRules:
    """Return the rules of the cleaning step.

    Raises:
        DataFileError: a rule is missing or is not a valid regular expression.
    """
    path = paths.CODEBOOK / "cleaning.yml"
    raw = read_yaml(path)
    try:
        job = raw["job_ad"]
        return CleaningRules(
            cutoff=raw["cutoff"],
            least_words=raw["least_words"],
            near_duplicate_jaccard=raw["near_duplicate_jaccard"],
            shingle_words=raw["shingle_words"],
            senses=tuple((sense, _any(raw["senses"][sense], whole=True)) for sense in _SENSE_ORDER),
            ambiguous=frozenset(raw["ambiguous"]),
            addresses=_any(raw["addresses"]),
            insurer_followers=frozenset(raw["insurer_followers"]),
            insurer_leaders=frozenset(raw["insurer_leaders"]),
            insurer_context=tuple(raw["insurer_context"]),
            job_ad=JobAdRules(
                _any(job["address"]),
                _any(job["title"]),
                tuple(job["phrases"]),
                job["least_phrases"],
                job["most_words"],
            ),
            twin_address=_any(raw["twin_addresses"]),
            twin_contained=raw["twin_contained"],
        )
    except KeyError as problem:
        raise DataFileError(path, "file", f"rule {problem} is missing", "Compare with git.") from problem
    except re.error as problem:
        raise DataFileError(
            path, f"pattern {problem.pattern!r}", f"it is no regular expression ({problem.msg})", "Mend it."
        ) from problem
