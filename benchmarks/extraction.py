"""Main text and speed against trafilatura, on the same HTML pages of the sample Denmark in one run."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tryg_assets.domain.crawling.charset import decode
from tryg_assets.domain.crawling.extract import extract, site_furniture
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.domain.sample_web.render import Base, render


def token_f1(got: str, wanted: str) -> float:
    one, other = (Counter(re.findall(r"\w+", text.lower())) for text in (got, wanted))
    common = (one & other).total()
    return 2 * common / max(1, one.total() + other.total())


@dataclass(frozen=True)
class Known:
    """An HTML page of the sample and the text that was put on it."""

    municipality: str
    url: str
    content_type: str
    body: bytes
    text: str


def known_pages() -> list[Known]:
    found = []
    for site in plan().values():
        for (prefix, path), page in site.pages.items():
            if page.media == "html" and page.blocks and not site.down:
                body, content_type = render(site.slug, prefix, path, Base())
                text = "\n".join([page.title, *(block.text for block in page.blocks)])
                found.append(Known(site.slug, f"http://{site.slug}.test{path}", content_type, body, text))
    return found


def report() -> None:
    import trafilatura

    policy = crawl_policy()
    pages = known_pages()
    print(f"\n== main text, {len(pages)} HTML pages of the sample Denmark with known text ==")

    def ours() -> list[str]:
        read = [extract(page.body, page.content_type, page.url, policy) for page in pages]
        by_site: dict[str, list[int]] = {}
        for number, page in enumerate(pages):
            by_site.setdefault(page.municipality, []).append(number)
        texts = [""] * len(pages)
        for numbers in by_site.values():
            furniture = site_furniture([found for i in numbers if (found := read[i]) is not None], policy)
            for i in numbers:
                found = read[i]
                texts[i] = re.sub(r"^(# |- )", "", found.text(furniture), flags=re.MULTILINE) if found else ""
        return texts

    def peer() -> list[str]:
        return [
            trafilatura.extract(
                decode(page.body, page.content_type), include_comments=False, include_tables=True, fast=True
            )
            or ""
            for page in pages
        ]

    rates = {}
    for name, run in (("tryg-assets", ours), ("trafilatura fast", peer)):
        rates[name] = _measure(name, run, [page.text for page in pages])
    print(f"speed ratio {rates['tryg-assets'] / rates['trafilatura fast']:.1f}")


def _measure(name: str, run: Callable[[], list[str]], wanted: list[str]) -> float:
    started = time.process_time()
    texts = run()
    rate = len(texts) / (time.process_time() - started)
    score = sum(map(token_f1, texts, wanted)) / len(texts)
    print(f"{name:<18} token F1 {score:.3f}  {rate:.0f} pages a CPU second")
    return rate
