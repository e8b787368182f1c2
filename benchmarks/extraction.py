"""Main text and speed against trafilatura and resiliparse: the sample Denmark, and trafilatura's own evaluation corpus."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryg_assets.domain.crawling.charset import decode
from tryg_assets.domain.crawling.extract import extract, site_furniture
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.domain.sample_web.render import Base, render

Extractor = Callable[[bytes, str, str], str]
_PREFIX = re.compile(r"^(# |- )", re.MULTILINE)


def token_f1(got: str, wanted: str) -> float:
    one, other = (Counter(re.findall(r"\w+", text.lower())) for text in (got, wanted))
    common = (one & other).total()
    return 2 * common / max(1, one.total() + other.total())


@dataclass(frozen=True)
class Known:
    """An HTML page of the sample and the text that was put on it."""

    municipality: str
    kind: str
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
                found.append(
                    Known(site.slug, page.kind, f"http://{site.slug}.test{path}", content_type, body, text)
                )
    return found


def trafilatura_text(body: bytes, content_type: str, url: str) -> str:
    import trafilatura

    text = trafilatura.extract(
        decode(body, content_type), include_comments=False, include_tables=True, fast=True
    )
    return text or ""


def resiliparse_text(body: bytes, content_type: str, url: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(decode(body, content_type), main_content=True))


def our_text(body: bytes, content_type: str, url: str) -> str:
    page = extract(body, content_type, url, crawl_policy())
    return "\n".join(block.text for block in page.blocks) if page else ""


PEERS: dict[str, Extractor] = {"trafilatura fast": trafilatura_text, "resiliparse": resiliparse_text}


def our_site(pages: list[Known]) -> list[str]:
    """Our texts of one site as the crawl makes them: what repeats across the site is taken out."""
    policy = crawl_policy()
    read = [extract(page.body, page.content_type, page.url, policy) for page in pages]
    furniture = site_furniture([found for found in read if found is not None], policy)
    return [_PREFIX.sub("", found.text(furniture)) if found else "" for found in read]


def sample_report() -> None:
    pages = known_pages()
    print(f"\n== main text, {len(pages)} HTML pages of the sample Denmark with known text ==")
    by_site: dict[str, list[Known]] = defaultdict(list)
    for page in pages:
        by_site[page.municipality].append(page)
    runs = {"tryg-assets": our_site, **{name: _each(peer) for name, peer in PEERS.items()}}
    texts: dict[str, list[str]] = {name: [] for name in runs}
    seconds: defaultdict[str, float] = defaultdict(float)
    for run in runs.values():
        run(pages[:1])  # imports and rule files
    for site in by_site.values():
        # In turns, so that what else the machine does slows all alike.
        for name, run in runs.items():
            started = time.process_time()
            texts[name] += run(site)
            seconds[name] += time.process_time() - started
    rates = {name: len(pages) / spent for name, spent in seconds.items()}
    pages = [page for site in by_site.values() for page in site]
    scores = {
        name: [token_f1(got, page.text) for got, page in zip(of, pages, strict=True)]
        for name, of in texts.items()
    }
    for name, of in scores.items():
        print(f"{name:<18} token F1 {sum(of) / len(of):.3f}  {rates[name]:.0f} pages a CPU second")
    print(f"speed: {rates['tryg-assets'] / rates['trafilatura fast']:.1f} times trafilatura's")
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, page in enumerate(pages):
        kinds[page.kind].append(number)
    print(f"{'page kind':<18} {'n':>5}  " + "  ".join(f"{name:>16}" for name in scores))
    for kind, numbers in sorted(kinds.items()):
        means = {name: sum(of[i] for i in numbers) / len(numbers) for name, of in scores.items()}
        mark = "" if means["tryg-assets"] >= max(means.values()) else "  < peer"
        print(
            f"{kind:<18} {len(numbers):>5}  " + "  ".join(f"{mean:>16.3f}" for mean in means.values()) + mark
        )


def _each(peer: Extractor) -> Callable[[list[Known]], list[str]]:
    return lambda pages: [peer(page.body, page.content_type, page.url) for page in pages]


def corpus_folder(variable: str, what: str) -> Path | None:
    """The folder of somebody else's corpus, which is not ours to give away; ``None`` if it is not given."""
    folder = os.environ.get(variable)
    if not folder:
        print(f"not given: set {variable} to the folder of {what}")
        return None
    return Path(folder)


def in_half(url: str) -> str:
    """Which half of a corpus an address is in: rules were developed on ``dev`` only."""
    return "test" if int(hashlib.sha256(url.encode()).hexdigest(), 16) % 2 else "dev"


def corpus_report() -> None:
    print("\n== main text, trafilatura's evaluation corpus, its own scorer ==")
    folder = corpus_folder(
        "BENCH_TRAFILATURA", "trafilatura's tests/ (evaldata.json, eval_common.py, cache/, eval/)"
    )
    if folder is None:
        return
    sys.path.insert(0, str(folder))
    scorer = importlib.import_module("eval_common")
    data: dict[str, dict[str, Any]] = scorer.load_evaldata(str(folder))
    bodies = scorer.read_corpus(str(folder), data)
    rates = {}
    for name, run in {"tryg-assets": our_text, **PEERS}.items():
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        run(b"<p>x", "text/html", "")  # imports and rule files
        started = time.process_time()
        read = {url: run(bodies[url][1], "text/html", url) for url in data}
        rates[name] = len(data) / (time.process_time() - started)
        for url, text in read.items():
            found = dict(zip(("tp", "fp", "fn", "tn"), scorer.count_item(data[url], text), strict=True))
            for half in (in_half(url), "all"):
                counts[half].update(found)
        figures = "  ".join(f"{half} {_f1(counts[half])}" for half in ("all", "dev", "test"))
        print(f"{name:<18} {figures}  {rates[name]:.0f} pages a CPU second")
    print(
        f"n = {len(data)}; speed: {rates['tryg-assets'] / rates['trafilatura fast']:.1f} times trafilatura's"
    )


def _f1(count: Counter[str]) -> str:
    precision = count["tp"] / (count["tp"] + count["fp"])
    recall = count["tp"] / (count["tp"] + count["fn"])
    return f"F1 {2 * precision * recall / (precision + recall):.3f} (P {precision:.3f} R {recall:.3f})"


def report() -> None:
    sample_report()
    corpus_report()


if __name__ == "__main__":
    report()
