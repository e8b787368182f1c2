"""Asking a web server, with manners and bounds, through httpx over connections of our own making (``network.py``)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType

import httpcore
import httpx
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from tryg_assets.domain.crawling.inflate import BadBody, TooLarge, inflate
from tryg_assets.domain.crawling.network import Network, Transport
from tryg_assets.domain.crawling.policy import CrawlPolicy

_RETRIED = frozenset({429, 502, 503, 504})
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """How one request ended: ``status`` is ``None`` when no answer came, and ``problem`` says why.

    With a status and a ``problem`` the body could not be had: too long, cut off or not what its coding says. ``record`` and
    ``fetched_at`` (where in the archive the body lies, and when it was asked for) come from the recorder.
    """

    url: str
    status: int | None
    headers: httpx.Headers
    body: bytes
    problem: str | None = None
    too_large: bool = False
    record: str | None = None
    fetched_at: datetime | None = None

    @property
    def content_type(self) -> str | None:
        """The media type, without parameters."""
        value = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return value or None

    @property
    def failed(self) -> bool:
        """Whether the server, not the page, is at fault: no answer, too many requests, or an error of its own."""
        return self.status is None or self.status == 429 or self.status >= 500

    @property
    def retry_after(self) -> float:
        """The seconds that Retry-After asks for (RFC 9110 section 10.2.3); a date counts from the answer's own Date."""
        value = self.headers.get("retry-after", "")
        if value.isascii() and value.isdecimal():
            return float(value[:9])
        try:
            wanted = parsedate_to_datetime(value) - parsedate_to_datetime(self.headers.get("date", ""))
        except (TypeError, ValueError):
            return 0.0
        return max(0.0, wanted.total_seconds())


class Fetcher:
    """One request at a time to one site; pauses between requests, asks again what may pass, never reads without bound.

    ``address`` (host:port) is where to connect whatever the name; ``public_only`` refuses addresses outside the public
    internet. ``sleep``, ``monotonic`` and ``tls`` are how to wait, the stopwatch and whom to trust (otherwise: certifi's list).
    """

    def __init__(
        self,
        policy: CrawlPolicy,
        *,
        user_agent: str,
        address: str | None = None,
        public_only: bool = False,
        pause: float = 0.0,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float] = time.monotonic,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = policy.limits
        self._sleep, self._monotonic = sleep, monotonic
        self.pause = pause
        self._rested_at = 0.0
        self._failures = 0
        self._network = Network(address=address, public_only=public_only, forbidden=policy.forbidden_networks)
        # A site's hosts take turns, so an idle connection to each is kept; certificates are always verified.
        self._transport = Transport(self._network, tls=tls, max_connections=4)
        self._headers = [
            (b"user-agent", user_agent.encode("ascii", errors="replace")),
            (b"accept", b"text/html,application/pdf;q=0.9,*/*;q=0.5"),
            (b"accept-language", b"da"),
            (b"accept-encoding", b"gzip, deflate, br, zstd"),
        ]
        self._timeouts = {
            "connect": self._limits.connect_seconds,
            "read": self._limits.silence_seconds,
            "write": self._limits.silence_seconds,
        }
        self._again = Retrying(
            retry=retry_if_result(self._may_pass),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=self._wait,
            sleep=sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        """Ask for ``url`` once, again up to twice after a passing fault. Redirects are returned, not followed."""
        headers = list(self._headers)
        if etag:
            headers.append((b"if-none-match", etag.encode("latin-1", errors="replace")))
        if last_modified:
            headers.append((b"if-modified-since", last_modified.encode("latin-1", errors="replace")))
        reply: Reply = self._again(self._ask, url, headers)
        return reply

    def _may_pass(self, reply: Reply) -> bool:
        """Whether to ask again: a passing fault, unless the server wants to be left alone for longer than we wait."""
        passing = reply.status is None or reply.status in _RETRIED
        return passing and reply.retry_after <= self._limits.retry_after_seconds

    def _wait(self, state: RetryCallState) -> float:
        return float(state.outcome.result().retry_after) if state.outcome else 0.0

    def _rest(self) -> None:
        """Wait out the pause since the last answer, twice as long after each failure in a row."""
        pause = min(self.pause * 2**self._failures, max(self.pause, self._limits.retry_after_seconds))
        if pause and self._rested_at:
            left = self._rested_at + pause - self._monotonic()
            if left > 0:
                self._sleep(left)

    def _ask(self, url: str, headers: list[tuple[bytes, bytes]]) -> Reply:
        self._rest()
        self._network.allow(self._limits.seconds)
        try:
            reply = self._exchange(url, headers)
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
            httpcore.UnsupportedProtocol,
            httpx.InvalidURL,
            ValueError,
        ) as problem:
            # ValueError: a port that is no number, an escape the URL parser refuses.
            reply = Reply(url, None, httpx.Headers(), b"", f"{type(problem).__name__}: {problem}".strip(": "))
        self._rested_at = self._monotonic()
        self._failures = min(self._failures + 1, 16) if reply.failed else 0
        return reply

    def _exchange(self, url: str, headers: list[tuple[bytes, bytes]]) -> Reply:
        if not httpx.URL(url).host:
            raise httpx.InvalidURL("the address names no host")
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": self._timeouts})
        response = self._transport.handle_request(request)
        # Closed, not drained, when there is more to come than we take; the pool then opens a new connection.
        try:
            return self._received(url, response)
        finally:
            response.close()

    def _received(self, url: str, response: httpx.Response) -> Reply:
        found, limit = response.headers, self._limits.body_bytes

        def without_body(problem: str, *, too_large: bool = False) -> Reply:
            return Reply(url, response.status_code, found, b"", problem, too_large)

        if len(found.raw) > self._limits.header_fields:
            return without_body(f"more than {self._limits.header_fields} header fields")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > limit:
                return without_body(f"more than {limit} bytes", too_large=True)
        try:
            plain = inflate(bytes(body), found.get("content-encoding", ""), limit)
        except TooLarge:
            return without_body(f"more than {limit} bytes", too_large=True)
        except BadBody as problem:
            return without_body(str(problem))
        return Reply(url, response.status_code, found, plain)
