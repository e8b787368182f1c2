"""Connections for the fetcher: only to addresses that were checked, and none of them outlives a request's deadline."""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Net = ipaddress.IPv4Network | ipaddress.IPv6Network

# RFC 6052 section 2.1: an IPv4 address is in the last 32 bits.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _embedded(address: ipaddress.IPv6Address) -> Address:
    """Return the IPv4 address that a transition address leads to (RFC 4291, 3056, 6052), else the address itself."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(text: str, forbidden: Iterable[Net] = ()) -> bool:
    """Whether an IP address belongs to the public internet and to none of the ``forbidden`` networks.

    Private, loopback, link-local, multicast, unspecified, reserved and Teredo addresses do not; an IPv4 address inside
    an IPv6 one is judged by itself.
    """
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo:
            return False
        address = _embedded(address)
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False))
        and not any(address in net for net in forbidden)
    )


class Network(httpcore.NetworkBackend):
    """Opens connections for httpcore.

    With ``address`` (host:port) every connection goes there while requests keep their own host name, as
    ``curl --connect-to`` does. With ``public_only`` a name is resolved once, its addresses are judged, and the very
    address that was judged is connected to: a name that changes between check and use gains nothing. The certificate is
    still checked against the name.
    """

    def __init__(self, *, address: str | None, public_only: bool, forbidden: tuple[Net, ...]) -> None:
        self._sockets = httpcore.SyncBackend()
        self._public_only, self._forbidden = public_only, forbidden
        self._instead: tuple[str, int] | None = None
        if address:
            host, _, port = address.rpartition(":")
            self._instead = host.strip("[]"), int(port)
        self._until = math.inf

    def allow(self, seconds: float) -> None:
        """Let everything that happens from now on take ``seconds`` together."""
        self._until = time.monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Return the seconds that the next step may take.

        Raises:
            httpcore.ReadTimeout: the request's time is up.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("not done within the time for one request")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of ``host`` that answers.

        Raises:
            httpcore.ConnectError: none answers, or none may be asked.
        """
        if self._instead:
            host, port = self._instead
        problem: Exception | None = None
        for address in self._addresses(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                problem = problem or refused
            else:
                return _Stream(stream, self)
        raise problem or httpcore.ConnectError(f"{host} has no public address")

    def _addresses(self, host: str, port: int) -> Iterator[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host else []
        except (OSError, UnicodeError) as unknown:
            # UnicodeError: a host with a label that is too long or empty.
            raise httpcore.ConnectError(f"{host}: {unknown}") from unknown
        for *_, place in found:
            address = str(place[0])
            if not self._public_only or is_public(address, self._forbidden):
                yield address


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends at the deadline: a server that drips a byte now and then gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, network: Network) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._network.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._network.left(timeout))
        return _Stream(stream, self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Transport(httpx.BaseTransport):
    """httpx over a ``network``: what ``httpx.HTTPTransport`` does, which lets nobody choose how connections are opened.

    The body is not decoded here, so that its reader can stop in the middle. Errors are those of httpcore.
    """

    def __init__(self, network: Network, *, tls: ssl.SSLContext | None, max_connections: int) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, network_backend=network, max_connections=max_connections
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and return the answer, its body still to be read and to be closed."""
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), request=request)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
