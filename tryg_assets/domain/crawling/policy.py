"""The crawl policy of ``data/codebook/crawling.yml``, typed."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass
from typing import Any

from tryg_assets import __version__, paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one crawl of one site; ``data/codebook/crawling.yml`` says what each is for."""

    depth: int
    site_bytes: int
    site_hours: float
    waiting: int
    noted: int
    hosts: int
    sitemaps: int
    failures_in_a_row: int
    body_bytes: int
    header_fields: int
    redirects: int
    connect_seconds: float
    silence_seconds: float
    seconds: float
    retry_after_seconds: float
    crawl_delay_seconds: float
    address_length: int
    path_segments: int
    repeated_segment: int
    query_parameters: int
    urls_per_path: int
    days_per_path: int
    years_ahead: int
    resume_days: int


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
    skip_hosts: frozenset[str]
    forbidden_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    priority_words: tuple[str, ...]
    limits: Limits
    furniture: Furniture
    documents: DocumentLimits
    languages: tuple[str, ...]
    user_agent: str

    def name_for(self, contact: str | None) -> str:
        """Return how we name ourselves to websites, with the address where a webmaster reaches us."""
        return self.user_agent.format(version=__version__, contact=contact or "local test, no contact")


@functools.cache
def crawl_policy() -> CrawlPolicy:
    """Return the crawl policy.

    Raises:
        DataFileError: a field is missing or unknown.
    """
    path = paths.CODEBOOK / "crawling.yml"
    raw = read_yaml(path)
    for name, value in (raw.get("limits") or {}).items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise DataFileError(path, f"limits.{name}", f"'{value}' is no number from 0", "Write a number.")
    try:
        furniture: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in raw["furniture"].items()
        }
        return CrawlPolicy(
            stems=tuple(raw["stems"]),
            dropped_parameters=frozenset(raw["tracking_parameters"]) | frozenset(raw["session_parameters"]),
            index_names=frozenset(raw["index_names"]),
            skip_extensions=frozenset(raw["skip_extensions"]),
            skip_hosts=frozenset(raw["skip_hosts"]),
            forbidden_networks=tuple(map(ipaddress.ip_network, raw["forbidden_networks"])),
            priority_words=tuple(raw["priority_words"]),
            limits=Limits(**raw["limits"]),
            furniture=Furniture(**furniture),
            documents=DocumentLimits(**raw["documents"]),
            languages=tuple(raw["languages"]),
            user_agent=raw["user_agent"],
        )
    except ValueError as problem:
        raise DataFileError(
            path, "forbidden_networks", str(problem), "Write it as 192.0.2.0/24."
        ) from problem
    except (KeyError, TypeError) as problem:
        raise DataFileError(
            path, "file", f"{problem} is missing or unknown", "Compare with git."
        ) from problem
