"""What ``tryg doctor`` looks at."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator

from tryg_assets.errors import TrygError
from tryg_assets.settings import Settings, ensure_writable


def findings(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Yield (what, in order?, detail)."""
    yield "Python", sys.version_info >= (3, 11), sys.version.split()[0]
    yield _try("TRYG_HOME", lambda: _home(settings))
    yield _try("reference data", _reference)
    yield _try("codebook", _codebook)
    yield _try("reference codings", _gold)
    yield _try("words of the review", _review)
    yield _try("sites", lambda: _sites(settings))
    yield _try("contracts", lambda: f"{len(_contracts())} tables")
    with socket.socket() as probe:
        free = probe.connect_ex(("127.0.0.1", settings.sample_port)) != 0
    yield (
        "sample port",
        True,
        f"{settings.sample_port} is {'free' if free else 'in use (set TRYG_SAMPLE_PORT, or it is your own sample web)'}",
    )


def _try(name: str, look: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return name, True, look()
    except TrygError as problem:
        return name, False, str(problem)


def _home(settings: Settings) -> str:
    ensure_writable(settings.home)
    return str(settings.home.resolve())


def _reference() -> str:
    from tryg_assets.domain import reference

    counts = (
        len(reference.municipalities()),
        len(reference.focus_areas()),
        len(reference.actor_taxonomy().subcategories),
    )
    reference.organisation_forms()
    return "{} municipalities, {} focus areas, {} actor subcategories".format(*counts)


def _gold() -> str:
    from tryg_assets import paths
    from tryg_assets.domain.review.gold import read_gold

    return f"{len({row['page_id'] for row in read_gold(paths.GOLD)})} pages with reference codings"


def _review() -> str:
    from tryg_assets.domain.review.words import review_words

    return f"{len(review_words().columns)} columns"


def _sites(settings: Settings) -> str:
    from tryg_assets.partitions import sites_of

    return f"{len(sites_of(settings))} sites ({settings.source})"


def _codebook() -> str:
    from tryg_assets.domain.actors.lexicon import lexicon
    from tryg_assets.domain.coding import coder
    from tryg_assets.domain.crawling.dates import parse_date
    from tryg_assets.domain.crawling.policy import crawl_policy
    from tryg_assets.domain.filtering.rules import cleaning_rules
    from tryg_assets.domain.reliability.gate import Gate, definition_dated
    from tryg_assets.domain.review.sampling import Design

    crawl_policy()
    cleaning_rules()
    lexicon()
    parse_date("1. januar 2026")
    Gate.load()
    definition_dated()
    Design.load()
    return f"hash {coder('offline-rules').codebook_hash}"


def _contracts() -> dict[str, object]:
    from tryg_assets.contracts import contracts

    return dict(contracts())
