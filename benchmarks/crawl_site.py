"""A made-up website of many pages on loopback, in a process of its own: ``python -m benchmarks.crawl_site PAGES``.

Every page is computed from its number, so nothing is stored and two servers give the same bytes. Pages are 20-80 KB with a
menu, a footer and some 60 links: below each page hang its children, and beside them stand links to pages elsewhere in
several spellings, links out of the site, dead links, moved pages and addresses that are always busy.
"""

from __future__ import annotations

import gzip
import random
import sys
from functools import cache

import uvicorn
from starlette.types import Receive, Scope, Send

CHILDREN = 8
_VOCABULARY = (
    "kommunen borgere byrådet plan indsats skole vej affald bibliotek ansøgning frist møde dagsorden udvalg natur park "
    "cykelsti børnehave ældre hjælp støtte digital selvbetjening kontakt telefon åbningstider mandag fredag torsdag "
    "lokalplan høring svar beslutning økonomi budget rapport bilag forening kultur fritid idræt anlæg bolig miljø vand"
)
_WORDS = _VOCABULARY.split()


def path_of(number: int) -> str:
    return "/" if number == 0 else f"/emne-{number % 12}/side-{number}"


def page_paths(pages: int) -> set[str]:
    """Return the path of every page; each can be reached."""
    return {path_of(number) for number in range(pages)}


def hit_paths(pages: int) -> set[str]:
    """Return the paths of the pages whose own text has the stem."""
    return {path_of(number) for number in range(pages) if _has_stem(number)}


def _has_stem(number: int) -> bool:
    return number % 10 == 3


@cache
def _paragraphs() -> list[str]:
    draw = random.Random(1)
    return [" ".join(draw.choices(_WORDS, k=draw.randint(15, 60))).capitalize() + "." for _ in range(800)]


@cache
def _menu() -> str:
    groups = []
    for group in range(6):
        links = "".join(
            f'<li class="menu-item level-2"><a class="menu-link" href="{path_of(1 + 5 * group + n)}" data-id="{n}">'
            f'<span class="menu-text">Emne {group}.{n}</span></a></li>'
            for n in range(5)
        )
        groups.append(
            f'<li class="menu-item level-1"><button>Emne {group}</button><ul class="sub">{links}</ul></li>'
        )
    return f'<header><nav class="main-nav"><ul>{"".join(groups)}</ul></nav></header>'


@cache
def _head_filler() -> list[str]:
    draw = random.Random(2)
    return [
        "<script>"
        + ";".join(f"var {draw.choice(_WORDS)}{n}={draw.randrange(10**9)}" for n in range(size))
        + "</script>"
        for size in (150, 300, 450, 700)
    ]


_FOOTER = (
    "<footer><div class='footer-col'><h2>Kontakt</h2><p>Rådhuset, Torvet 1</p><p>Er du tryg ved os? Ring 12 34 56 78.</p></div>"
    "<ul><li><a href='/'>Forside</a></li><li><a href='https://www.facebook.com/stor'>Facebook</a></li>"
    "<li><a href='mailto:post@stor.test'>Skriv til os</a></li><li><a href='/logo.png'>Logo</a></li></ul></footer>"
)
_CONTACT = (
    "<div class='box'><p>Borgerservice hjælper dig trygt videre alle hverdage fra klokken 9 til 14.</p></div>"
)


def html(number: int, pages: int) -> str:
    """Return page ``number`` of a site of ``pages``."""
    draw = random.Random(number)
    below = range(CHILDREN * number + 1, min(pages, CHILDREN * (number + 1) + 1))
    links = [path_of(child) for child in below]
    for _ in range(18):
        other = path_of(draw.randrange(pages))
        links.append(
            other
            + draw.choice(("", "", "", "/", "#indhold", "?utm_source=side", "/index.html")) * (other != "/")
        )
    if number % 50 == 7:
        links.append(f"/slettet/{number}")
    if number % 100 == 9:
        links.append(f"/gammel/{number}")
    if number % 400 == 11:
        links.append(f"/travl/{number}")
    listed = "".join(f'<li><a href="{link}">Læs mere om {draw.choice(_WORDS)}</a></li>' for link in links)
    body = []
    for n in range(draw.randint(6, 22)):
        if n % 5 == 0:
            body.append(f"<h2>{draw.choice(_WORDS).capitalize()} {n}</h2>")
        body.append(f"<p>{draw.choice(_paragraphs())} Sag {number}-{n}.</p>")
    if _has_stem(number):
        body.insert(2, f"<p>Byrådet vil skabe tryghed i kvarter {number} sammen med beboerne.</p>")
    filler = "".join(draw.choices(_head_filler(), k=draw.randint(0, 2)))
    cards = "".join(
        f'<div class="card card--{n} theme-light grid__item" data-track="card-{n}"><div class="card__inner"><span class="icon icon-{n}" '
        f'aria-hidden="true"></span></div></div>'
        for n in range(draw.randint(40, 120))
    )
    return (
        f'<!doctype html><html lang="da"><head><meta charset="utf-8"><title>Side {number} - Stor Kommune</title>'
        f'<link rel="canonical" href="{path_of(number)}">{filler}</head><body>{_menu()}'
        f"<main><h1>Side {number} om {draw.choice(_WORDS)}</h1>{''.join(body)}<ul>{listed}</ul>{cards}{_CONTACT}</main>"
        f"{_FOOTER}{filler}</body></html>"
    )


def _answer(path: str, asked: dict[bytes, bytes], pages: int) -> tuple[int, dict[str, str], bytes]:
    if path == "/robots.txt":
        return 200, {"content-type": "text/plain"}, b"User-agent: *\nDisallow: /lukket/\n"
    kind, _, name = path.rpartition("/")
    if kind == "/gammel":
        return 301, {"location": path_of(int(name))}, b""
    if kind == "/travl":
        return (503 if int(name) % 800 else 429), {"retry-after": "0"}, b""
    clean = path.removesuffix("/index.html").rstrip("/")
    number = int(clean.rpartition("-")[2]) if clean.startswith("/emne-") else 0 if not clean else pages
    if number >= pages or path_of(number) != (clean or "/"):
        return 404, {"content-type": "text/html"}, b"<h1>Siden findes ikke</h1>"
    etag = f'"{number}"'
    if asked.get(b"if-none-match", b"").decode() == etag:
        return 304, {"etag": etag}, b""
    body = gzip.compress(html(number, pages).encode(), compresslevel=1, mtime=0)
    return 200, {"content-type": "text/html; charset=utf-8", "content-encoding": "gzip", "etag": etag}, body


class Site:
    """The ASGI application."""

    def __init__(self, pages: int) -> None:
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers, body = _answer(scope["path"], dict(scope["headers"]), self.pages)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw += [] if status == 304 else [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    config = uvicorn.Config(
        Site(int(sys.argv[1])), port=0, log_level="warning", access_log=False, lifespan="off"
    )
    socket = config.bind_socket()
    socket.listen()  # whoever reads the address may ask at once
    print("{}:{}".format(*socket.getsockname()[:2]), flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    main()
