"""Checks of stage 3."""

from __future__ import annotations

import polars as pl

from tryg_assets.checks._factory import Verdict, contract_check, municipality_check
from tryg_assets.domain.coding.interface import Page
from tryg_assets.storage import Lake

_UNUSABLE_SHARE = 0.05
_MANY_ASKED = 20


def every_kept_page_coded(lake: Lake, slug: str) -> Verdict:
    """Judge whether the coded pages are exactly the kept pages."""
    kept = lake.read("filtered_pages", slug).filter(pl.col("verdict") == "kept")
    coded = lake.read("page_codings", slug)
    missing = kept.join(coded, on="page_id", how="anti").select("page_id", "url", problem=pl.lit("not coded"))
    extra = coded.join(kept, on="page_id", how="anti").select(
        "page_id", "url", problem=pl.lit("coded but not kept")
    )
    wrong = pl.concat([missing, extra])
    return Verdict(
        wrong.is_empty(), f"{coded.height} of {kept.height} kept pages coded.", tuple(wrong.to_dicts())
    )


def quotes_on_page(lake: Lake, slug: str) -> Verdict:
    """Judge whether the quote of every yes stands in one of its evidence sentences on the page."""
    texts = {row["page_id"]: row for row in lake.read("raw_crawl", slug).iter_rows(named=True)}
    wrong = []
    said_yes = lake.read("page_codings", slug).filter(pl.col("is_initiative") == "yes")
    for row in said_yes.iter_rows(named=True):
        raw = texts.get(row["page_id"])
        page = Page.of(row["page_id"], slug, row["url"], raw["title"], raw["text"]) if raw else None
        if page is None or not page.says(row["quote"], row["evidence_ids"]):
            wrong.append(
                {
                    "page_id": row["page_id"],
                    "url": row["url"],
                    "quote": row["quote"],
                    "sentences": row["evidence_ids"],
                }
            )
    return Verdict(
        not wrong,
        f"{said_yes.height - len(wrong)} of {said_yes.height} quotes found on their page.",
        tuple(wrong),
    )


def answers_usable(lake: Lake, slug: str) -> Verdict:
    """Warn when more than a few answers could not count: quotes not on the page, refusals, cut-off or invalid answers."""
    codings = lake.read("page_codings", slug)
    wrong = codings.filter(pl.col("problem").is_not_null())
    kinds = dict(wrong.group_by("problem").len().sort("problem").iter_rows())
    found = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    return Verdict(
        wrong.height <= max(1, _UNUSABLE_SHARE * codings.height),
        f"{wrong.height} of {codings.height} answers could not count{f': {found}' if found else ''}.",
        tuple(wrong.select("page_id", "url", "problem", "rationale").to_dicts()),
        warn_only=True,
    )


def prompt_cache_used(lake: Lake, slug: str) -> Verdict:
    """Warn when a model was asked about many pages and its server never read the codebook from its prompt cache."""
    asked = lake.read("page_codings", slug).filter(pl.col("output_tokens") > 0)
    cached = asked.filter(pl.col("cache_read_tokens") > 0).height
    return Verdict(
        asked.height < _MANY_ASKED or cached > 0,
        f"The codebook was read from the prompt cache for {cached} of {asked.height} pages that a model was asked about.",
        warn_only=True,
    )


def pages_exist(lake: Lake, slug: str) -> Verdict:
    """Judge whether every initiative points to pages that are kept and coded yes."""
    yes = set(lake.read("page_codings", slug).filter(pl.col("is_initiative") == "yes")["page_id"])
    initiatives = lake.read("classified_initiatives", slug)
    wrong = [
        {"initiative_id": row["initiative_id"], "name": row["name"], "pages": row["pages"]}
        for row in initiatives.iter_rows(named=True)
        if not row["pages"] or not set(row["pages"]) <= yes or row["evidence_page"] not in row["pages"]
    ]
    return Verdict(not wrong, f"{initiatives.height} initiatives on {len(yes)} pages.", tuple(wrong))


checks = [
    contract_check("page_codings"),
    contract_check("classified_initiatives"),
    contract_check("spend"),
    municipality_check(
        "page_codings",
        "every_kept_page_coded",
        "The engine has coded exactly the pages that the cleaning step kept.",
        "Materialise page_codings of this municipality again; pages read since the last coding are not coded yet.",
        every_kept_page_coded,
    ),
    municipality_check(
        "page_codings",
        "quotes_on_page",
        "The quote behind every yes is found in its evidence sentence on the page.",
        "Compare quote and page. A quote that is not there must never count: the engine's evidence rule has a bug.",
        quotes_on_page,
    ),
    municipality_check(
        "page_codings",
        "answers_usable",
        "Nearly all answers of the engine could be used (at most 5 %, or one, could not). Pages without a usable answer are doubts.",
        "Look at the kinds. Quotes not on the page or invalid answers: another model, or a server that honours structured output. "
        "Cut-off answers: raise max_tokens of the task in data/codebook/prompts.yml. Refusals: read the pages yourself.",
        answers_usable,
        blocking=False,
    ),
    municipality_check(
        "page_codings",
        "prompt_cache_used",
        "Where a model was asked about 20 pages or more, its server read the codebook from its prompt cache at least once.",
        "The codebook is paid for in full with every page. Its text may be shorter than the model's least length "
        "(minimum_cacheable_tokens in data/prices.yml), or the server has no prompt cache; a server of one's own needs none.",
        prompt_cache_used,
        blocking=False,
    ),
    municipality_check(
        "classified_initiatives",
        "pages_exist",
        "Every initiative points to pages that exist and were coded yes.",
        "Materialise classified_initiatives of this municipality again.",
        pages_exist,
    ),
]
