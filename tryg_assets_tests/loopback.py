"""A small web server on loopback: answers by path (or host and path), and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says to one address. An ``etag`` makes it say 304 to who has that version."""

    body: bytes = b""
    status: int = 200
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in; header names are in lower case."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``answers`` may be changed while it runs."""

    address: str
    answers: dict[str, Answer | list[Answer]]
    asked: list[Asked]

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


def page(*blocks: str, title: str = "Side") -> Answer:
    """Return an HTML page whose main part holds ``blocks`` of markup."""
    return Answer(f"<html><title>{title}</title><body><main>{''.join(blocks)}</main></body></html>".encode())


def redirect(location: str, status: int = 301) -> Answer:
    return Answer(status=status, headers={"Location": location})


@contextmanager
def serve(answers: Mapping[str, Answer | list[Answer]]) -> Iterator[Server]:
    """Serve ``answers``; a list is given out one by one, its last again and again. All else is 404."""
    asked: list[Asked] = []
    known = dict(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.path, headers))
            found = known.get(headers.get("host", "") + self.path) or known.get(self.path) or Answer(b"", 404)
            answer = found if isinstance(found, Answer) else found.pop(0) if len(found) > 1 else found[0]
            unchanged = answer.etag is not None and headers.get("if-none-match") == answer.etag
            self.send_response(304 if unchanged else answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.etag:
                self.send_header("ETag", answer.etag)
            if not unchanged:
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if not unchanged:
                with suppress(BrokenPipeError, ConnectionResetError):  # the reader had enough
                    self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(f"127.0.0.1:{server.server_port}", known, asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
