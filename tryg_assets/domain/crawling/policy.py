"""The crawl policy of ``data/codebook/crawling.yml``, typed."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one crawl of one site."""

    depth: int
    body_bytes: int
    redirects: int
    path_segments: int
    repeated_segment: int
    query_parameters: int
    urls_per_path: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Furniture:
    """What is not a page's own text."""

    tags: tuple[str, ...]
    roles: tuple[str, ...]
    sure_words: tuple[str, ...]
    words: tuple[str, ...]
    breadcrumb_words: tuple[str, ...]
    reveal_words: tuple[str, ...]
    main_words: tuple[str, ...]
    body_words: tuple[str, ...]
    main_share: float
    body_share: float
    most_of_page: float
    perhaps_leaves: float
    least_main: int
    least_paragraph: int
    link_share: float
    link_block_words: int
    repeats_on_share: float
    repeats_on_pages: int


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds of one document: characters of an HTML page, pages of a PDF, bytes a Word document may unpack to."""

    html_characters: int
    pages: int
    unpacked_bytes: int


@dataclass(frozen=True, slots=True)
class CrawlPolicy:
    """Everything a person may change about the crawl without touching code."""

    stems: tuple[str, ...]
    dropped_parameters: frozenset[str]
    index_names: frozenset[str]
    skip_extensions: frozenset[str]
    priority_words: tuple[str, ...]
    limits: Limits
    furniture: Furniture
    documents: DocumentLimits
    languages: tuple[str, ...]
    user_agent: str


@functools.cache
def crawl_policy() -> CrawlPolicy:
    """Return the crawl policy.

    Raises:
        DataFileError: a field is missing or unknown.
    """
    path = paths.CODEBOOK / "crawling.yml"
    raw = read_yaml(path)
    for name, value in (raw.get("limits") or {}).items():
        if not isinstance(value, int | float):
            raise DataFileError(path, f"limits.{name}", f"'{value}' is no number", "Write a number.")
    try:
        furniture: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in raw["furniture"].items()
        }
        return CrawlPolicy(
            stems=tuple(raw["stems"]),
            dropped_parameters=frozenset(raw["tracking_parameters"]) | frozenset(raw["session_parameters"]),
            index_names=frozenset(raw["index_names"]),
            skip_extensions=frozenset(raw["skip_extensions"]),
            priority_words=tuple(raw["priority_words"]),
            limits=Limits(**raw["limits"]),
            furniture=Furniture(**furniture),
            documents=DocumentLimits(**raw["documents"]),
            languages=tuple(raw["languages"]),
            user_agent=raw["user_agent"],
        )
    except (KeyError, TypeError) as problem:
        raise DataFileError(
            path, "file", f"{problem} is missing or unknown", "Compare with git."
        ) from problem
