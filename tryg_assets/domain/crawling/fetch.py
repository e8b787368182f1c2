"""Asking a web server, with manners and bounds, through httpx."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import httpx
import stamina

from tryg_assets.domain.crawling.policy import CrawlPolicy

_RETRIED = frozenset({429, 502, 503, 504})
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """How one request ended: ``status`` is ``None`` when no answer came, and ``problem`` says why."""

    url: str
    status: int | None
    headers: httpx.Headers
    body: bytes
    problem: str | None = None
    too_large: bool = False

    @property
    def content_type(self) -> str | None:
        """The media type, without parameters."""
        value = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return value or None


class _Transient(Exception):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply


class _HostMap(httpx.HTTPTransport):
    """Connects to a given address while the request keeps its own host name (as ``curl --connect-to`` does)."""

    def __init__(self, address: str) -> None:
        super().__init__(retries=0)
        self._host, _, port = address.rpartition(":")
        self._port = int(port)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions.setdefault("sni_hostname", request.url.host)
        request.url = request.url.copy_with(host=self._host.strip("[]"), port=self._port)
        return super().handle_request(request)


class Fetcher:
    """One connection to one site; pauses between requests, retries what may pass, never reads without bound."""

    def __init__(
        self,
        policy: CrawlPolicy,
        *,
        user_agent: str,
        address: str | None = None,
        pause: float = 0.0,
        sleep: Callable[[float], None],
    ) -> None:
        self._policy = policy
        self._sleep = sleep
        self.pause = pause
        self._first = True
        self._client = httpx.Client(
            transport=_HostMap(address) if address else httpx.HTTPTransport(retries=0),
            headers={
                "user-agent": user_agent,
                "accept": "text/html,application/pdf;q=0.9,*/*;q=0.5",
                "accept-language": "da",
            },
            timeout=httpx.Timeout(policy.limits.seconds, connect=min(10.0, policy.limits.seconds)),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Reply:
        """Ask for ``url`` once, again up to twice after a passing fault. Redirects are returned, not followed."""
        headers = {}
        if etag:
            headers["if-none-match"] = etag
        if last_modified:
            headers["if-modified-since"] = last_modified
        wait = max(0.05, self.pause)
        try:
            for attempt in stamina.retry_context(
                on=_Transient, attempts=_ATTEMPTS, wait_initial=wait, wait_max=60, timeout=None
            ):
                with attempt:
                    reply = self._ask(url, headers)
                    if reply.status is None or reply.status in _RETRIED:
                        if attempt.num < _ATTEMPTS:
                            self._sleep(_retry_after(reply))
                        raise _Transient(reply)
                    return reply
        except _Transient as last:
            return last.reply
        raise AssertionError("unreachable")

    def _ask(self, url: str, headers: dict[str, str]) -> Reply:
        if not self._first and self.pause:
            self._sleep(self.pause)
        self._first = False
        limit = self._policy.limits.body_bytes
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                body = bytearray()
                until = time.monotonic() + self._policy.limits.seconds
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > until:
                        raise httpx.ReadTimeout(f"not done after {self._policy.limits.seconds} s")
                    if len(body) > limit:
                        return Reply(
                            url,
                            response.status_code,
                            response.headers,
                            b"",
                            f"more than {limit} bytes",
                            too_large=True,
                        )
                return Reply(url, response.status_code, response.headers, bytes(body))
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as problem:
            # UnicodeError: the name resolver refuses a host with a label that is too long.
            return Reply(url, None, httpx.Headers(), b"", f"{type(problem).__name__}: {problem}".strip(": "))


def _retry_after(reply: Reply) -> float:
    value = reply.headers.get("retry-after", "")
    return min(float(value), 60.0) if value.isdecimal() else 0.0
