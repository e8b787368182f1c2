"""The same crawl by Scrapy, set up as lean as its settings allow; our own main text step, so that only the crawlers differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.linkextractors import LinkExtractor
from selectolax.lexbor import LexborHTMLParser

from tryg_assets.domain.crawling.extract import extract, word_forms
from tryg_assets.domain.crawling.policy import crawl_policy

SETTINGS = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": True,
    "COOKIES_ENABLED": False,
    "RETRY_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_ENABLED": False,
    "MEMUSAGE_ENABLED": False,
    "AUTOTHROTTLE_ENABLED": False,
    "HTTPERROR_ALLOW_ALL": True,
    "EXTENSIONS": {
        "scrapy.extensions.corestats.CoreStats": None,
        "scrapy.extensions.logstats.LogStats": None,
        "scrapy.extensions.spiderstate.SpiderState": None,
        "scrapy.extensions.memusage.MemoryUsage": None,
    },
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
        "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
        "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    },
    "SPIDER_MIDDLEWARES": {
        "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    },
}


class Site(scrapy.Spider):
    """Follows every link of the site; ``cheap_links`` takes them by selectolax instead of Scrapy's own extractor."""

    name = "site"

    def __init__(self, address: str, cheap_links: bool, found: list[dict[str, Any]]) -> None:
        super().__init__()
        self._home, self._cheap, self._found = f"http://{address}/", cheap_links, found
        self._policy = crawl_policy()
        self._extractor = LinkExtractor(
            allow_domains=[address], canonicalize=True, process_value=_one_spelling
        )

    async def start(self) -> Any:
        yield self._request(self._home)

    def _request(self, url: str) -> scrapy.Request:
        return scrapy.Request(url, self.parse)

    def parse(self, response: Response) -> Iterator[scrapy.Request]:
        row = {
            "url": response.url,
            "status": response.status,
            "bytes": len(response.body),
            "sha256": hashlib.sha256(response.body).hexdigest(),
            "depth": response.meta.get("depth", 0),
        }
        self._found.append(row)
        if response.status != 200 or not isinstance(response, HtmlResponse):
            return
        header = (response.headers.get("content-type") or b"").decode()
        page = extract(response.body, header, response.url, self._policy)
        assert page is not None
        row["hit"] = bool(word_forms(page.text(), self._policy))
        for url in self._links(response):
            yield self._request(url)

    def _links(self, response: TextResponse) -> Iterator[str]:
        if not self._cheap:
            yield from (link.url for link in self._extractor.extract_links(response))
            return
        for node in LexborHTMLParser(response.text).css("a[href]"):
            href = _one_spelling(node.attrs.get("href") or "")
            if href.startswith("/") and not href.endswith(".png"):
                yield response.urljoin(href)


def _one_spelling(href: str) -> str:
    """Fold the spellings this site uses, as cheaply as a spider written for it would."""
    return (
        href.partition("#")[0].removesuffix("?utm_source=side").removesuffix("index.html").rstrip("/") or "/"
    )


def run(address: str, *, cheap_links: bool) -> list[dict[str, Any]]:
    """Crawl the site at ``address`` and return a row per answer."""
    found: list[dict[str, Any]] = []
    process = CrawlerProcess(settings=SETTINGS)
    process.crawl(Site, address=address, cheap_links=cheap_links, found=found)
    process.start()
    return found
