"""The server asked: its address, the key, and what its errors mean for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tryg_assets.errors import ConfigurationError, ServerUnavailable, TrygError

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError, AsyncAnthropic

OFFICIAL = "https://api.anthropic.com"
_READ, _SHOWN = 2000, 200  # characters of an error
_NO_KEY = "none"  # what a server at home is sent


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """A server that speaks the Messages API. The key is never shown, and only looked for when something is to be asked."""

    address: str
    key: str | None

    @classmethod
    def of(cls, address: str | None, key: str | None) -> Server:
        """Return the server at ``address`` (none: Anthropic's own).

        Raises:
            ConfigurationError: the address is none.
        """
        address = (address or OFFICIAL).rstrip("/")
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f"ANTHROPIC_BASE_URL={address} is no address; write it as http://localhost:11434."
            )
        return cls(address, key)

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.address).netloc

    @property
    def name(self) -> str:
        """What answers of this server are told apart by from those of others: its host, empty for Anthropic's own.

        Without the port, which changes from start to start of a server at home.
        """
        host = urlsplit(self.address).hostname or ""
        return "" if host == urlsplit(OFFICIAL).hostname else host

    def client(self, *, seconds: float, retries: int, middleware: Sequence[Any] = ()) -> AsyncAnthropic:
        """Return a client for single calls; errors as ``credential``."""
        from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

        return AsyncAnthropic(
            base_url=self.address,
            api_key=self.credential(),
            timeout=seconds,
            max_retries=retries,
            middleware=middleware,
            # A redirect would take the text of a page to a host that nobody chose.
            http_client=DefaultAsyncHttpxClient(follow_redirects=False),
        )

    def batch_client(self, *, seconds: float, retries: int) -> Anthropic:
        """Return a client for batches; errors as ``credential``."""
        from anthropic import Anthropic, DefaultHttpxClient

        return Anthropic(
            base_url=self.address,
            api_key=self.credential(),
            timeout=seconds,
            max_retries=retries,
            http_client=DefaultHttpxClient(follow_redirects=False),
        )

    def credential(self) -> str:
        """Return what is sent as key: the SDK must never look for credentials on the disk by itself.

        Raises:
            ConfigurationError: this is Anthropic's own server, and there is no key.
        """
        if self.key is None and not self.name:
            raise ConfigurationError(
                "The engine claude needs a key: set ANTHROPIC_API_KEY. To ask a server of your own, set ANTHROPIC_BASE_URL; to do "
                "without a language model, choose the engine offline-rules."
            )
        return self.key or _NO_KEY

    def misunderstood(self) -> ServerUnavailable:
        """Return an answer that is none of the Messages API as an error for a person."""
        return ServerUnavailable(
            f"{self.address} answers, but not as a server of the Messages API: a login page of the network, or another port? Check "
            "ANTHROPIC_BASE_URL. All answers so far are kept; start the run again and it goes on."
        )

    def explained(self, problem: APIStatusError) -> TrygError:
        """Return an error of the server as one for a person."""
        said = f"{self.address} answered {problem.status_code}: {message_of(problem)}"
        if problem.status_code in (401, 403):
            return ConfigurationError(f"{said}. Check ANTHROPIC_API_KEY.")
        if problem.status_code == 404:
            return ConfigurationError(f"{said}. Check TRYG_MODEL and ANTHROPIC_BASE_URL.")
        return ServerUnavailable(
            f"{said}. All answers so far are kept; start the run again later and it goes on."
        )

    def unreachable(self, problem: Exception) -> ServerUnavailable:
        """Return a broken or missing connection as an error for a person."""
        return ServerUnavailable(
            f"{self.address} cannot be reached or broke off ({problem.__cause__ or problem}). All answers so far are kept; start "
            "the run again when it is back."
        )


def is_refusal(status: int) -> bool:
    """Whether a status says that the server has done nothing about a request: 4xx and 501.

    Not those that also come after it has begun: 408 and 409, and the other 5xx (a gateway that gave up waiting, a fault half-way).
    """
    return (400 <= status < 500 and status not in (408, 409)) or status == 501


def message_of(problem: APIStatusError) -> str:
    """Return what the server said was wrong, as ``shown``."""
    body = problem.body
    error = body.get("error") if isinstance(body, dict) else None
    said = str(error.get("message")) if isinstance(error, dict) else problem.message
    return shown(said)


def shown(said: str) -> str:
    """Return what a server said, briefly and without personal data: some servers echo what they were sent."""
    from tryg_assets.domain.coding.claude.masking import published

    # Masked before the second cut, which could leave half a number that is no longer recognised.
    return " ".join(published(said[:_READ]).text.split())[:_SHOWN]
