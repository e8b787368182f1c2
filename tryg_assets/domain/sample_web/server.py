"""The sample Denmark over HTTP on loopback: the ``Host`` header decides which of the 98 sites answers."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import socket
import threading
import time
from types import TracebackType
from xml.sax.saxutils import escape

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tryg_assets.domain.sample_web.pages import SampleSite
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.domain.sample_web.render import Base, front_page, render, sitemap_urls, style
from tryg_assets.domain.sites import SAMPLE_DOMAIN
from tryg_assets.errors import ConfigurationError

# A browser resolves names below .localhost to this machine, without a hosts file (RFC 6761).
_BROWSER_DOMAIN = "kommune.localhost"
_LAST_MODIFIED = "Thu, 15 Jan 2026 12:00:00 GMT"


def create_app() -> Starlette:
    """Return the application."""
    return Starlette(routes=[Route("/{path:path}", _answer, methods=["GET", "HEAD"])])


async def _answer(request: Request) -> Response:
    path = request.url.path
    if (
        path.startswith("/design/")
        and (css := style(path.removeprefix("/design/").removesuffix(".css"))) is not None
    ):
        return Response(css, media_type="text/css")
    name, _, port = request.headers.get("host", "").lower().partition(":")
    suffix = f":{port}" if port else ""
    for domain in (SAMPLE_DOMAIN, _BROWSER_DOMAIN):
        if name.endswith(f".{domain}"):
            prefix, slug = _split(name.removesuffix(f".{domain}"))
            site = plan().get(slug)
            if site is None:
                return PlainTextResponse(f"Der er ingen kommune '{slug}' i Eksempel-Danmark.\n", 404)
            return _site_answer(request, site, prefix, Base(domain + suffix))
    return Response(front_page(_BROWSER_DOMAIN + suffix), media_type="text/html")


def _split(name: str) -> tuple[str, str]:
    for prefix in ("www.", "m."):
        if name.startswith(prefix):
            return prefix, name.removeprefix(prefix)
    return "www.", name


def _site_answer(request: Request, site: SampleSite, prefix: str, base: Base) -> Response:
    path = request.url.path.rstrip("/") or "/"
    if site.down:
        return PlainTextResponse("Intern fejl\n", 500)
    if prefix == "www.":
        if path == "/robots.txt" and site.robots is not None:
            line = (
                "" if site.sitemap == "none" else f"Sitemap: {base.address(site.slug, _sitemap_path(site))}\n"
            )
            return PlainTextResponse(site.robots + line)
        if path.startswith("/sitemap") and (sitemap := _sitemap(site, path, base)):
            return sitemap
        if path in site.redirects:
            return RedirectResponse(site.redirects[path], 301)
    if request.query_params.get("print") == "1":
        path += "?print=1"
    if (prefix, path) not in site.pages:
        return Response("<h1>404</h1><p>Den adresse er her ikke.</p>", 404, media_type="text/html")
    body, content_type = render(site.slug, prefix, path, base)
    etag = f'"{hashlib.blake2b(body, digest_size=10).hexdigest()}"'
    headers = {"etag": etag, "last-modified": _LAST_MODIFIED}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "content-type": content_type})


def _sitemap_path(site: SampleSite) -> str:
    return {"index": "/sitemap_index.xml", "gzip": "/sitemap.xml.gz"}.get(site.sitemap, "/sitemap.xml")


def _sitemap(site: SampleSite, path: str, base: Base) -> Response | None:
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    urls = sitemap_urls(site, base)
    parts = {"/sitemap-1.xml": urls[::2], "/sitemap-2.xml": urls[1::2]}
    if site.sitemap == "index" and path == "/sitemap_index.xml":
        places = "".join(f"<sitemap><loc>{base.address(site.slug, part)}</loc></sitemap>" for part in parts)
        return Response(f"<sitemapindex {space}>{places}</sitemapindex>", media_type="application/xml")
    listed = (
        parts.get(path)
        if site.sitemap == "index"
        else urls
        if path == _sitemap_path(site) and site.sitemap != "none"
        else None
    )
    if listed is None:
        return None
    xml = (
        f"<urlset {space}>" + "".join(f"<url><loc>{escape(url)}</loc></url>" for url in listed) + "</urlset>"
    )
    if site.sitemap == "gzip":
        return Response(gzip.compress(xml.encode(), mtime=0), media_type="application/gzip")
    return Response(xml, media_type="application/xml")


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket ourselves, so that a port in use is told before anything starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        reason = (
            "is in use" if problem.errno == errno.EADDRINUSE else f"cannot be opened ({problem.strerror})"
        )
        raise ConfigurationError(
            f"Port {port} on {host} {reason}. Choose another with --port or TRYG_SAMPLE_PORT (0 picks a free one)."
        ) from None
    listener.listen(256)
    return listener


def _server() -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(create_app(), log_level="warning", access_log=False, lifespan="off"))


def serve(port: int, host: str = "127.0.0.1") -> None:
    """Serve the sample Denmark until interrupted.

    Raises:
        ConfigurationError: the port cannot be used.
    """
    with contextlib.closing(_listen(host, port)) as listener:
        _server().run(sockets=[listener])


class SampleServer:
    """The sample Denmark in a thread of this process, for as long as a ``with`` block lasts."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._wanted = (host, port)
        self._server = _server()

    def __enter__(self) -> SampleServer:
        plan()
        self._listener = _listen(*self._wanted)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise ConfigurationError("The sample web did not start; see the message above.")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listener.close()

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"
