"""A web server on loopback that misbehaves, above HTTP and below it: it writes raw bytes to the connection."""

from __future__ import annotations

import datetime as dt
import gzip
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import brotli
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HTML = "text/html; charset=utf-8"
TRYG = "<p>Byrådet vil have en tryg midtby for alle borgere.</p>"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in. ``host`` is what the client believes it talks to."""

    host: str
    target: str
    headers: Mapping[str, str]


Say = Callable[[bytes], None]
Answer = Callable[[Request, Say], None]


@dataclass
class Hostile:
    """A running server. ``answers`` go by path; all else is 404. ``asked`` is what was asked, in order."""

    address: str
    answers: dict[str, Answer | bytes]
    asked: list[Request] = field(default_factory=list)

    def targets(self) -> list[str]:
        return [request.target for request in self.asked]

    def hosts(self) -> set[str]:
        return {request.host for request in self.asked}


class _Gone(Exception):
    """The server hangs up."""


def answer(
    body: bytes | str = b"", status: str = "200 OK", content_type: str | None = HTML, **headers: str | int
) -> bytes:
    """Return a whole HTTP answer; ``content_length=...`` and the like may lie."""
    data = body.encode() if isinstance(body, str) else body
    stated: dict[str, str | int] = {"content-length": len(data), "connection": "close"}
    if content_type is not None:
        stated["content-type"] = content_type
    stated |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in stated.items()), "", ""]
    return "\r\n".join(lines).encode() + data


def page(*blocks: str, title: str = "Side", **headers: str | int) -> bytes:
    """Return an answer with an HTML page whose main part holds ``blocks`` of markup."""
    return answer(
        f"<html><title>{title}</title><body><main>{''.join(blocks)}</main></body></html>", **headers
    )


def links(*targets: str) -> str:
    return "".join(f'<a href="{target}">videre</a>' for target in targets)


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", status, location=location)


# --- pages without end


def calendar(request: Request, say: Say) -> None:
    """Each day links to the day after, for ever."""
    day = int(request.target.partition("=")[2] or 0)
    say(page(f"<p>Dag {day}</p>", links(f"/kalender?dag={day + 1}")))


def facets(request: Request, say: Say) -> None:
    """Each choice offers every other choice as well."""
    query = request.target.partition("?")[2]
    say(page("<p>Søg</p>", links(*(f"/soeg?{query}&valg{n}=1".replace("?&", "?") for n in range(6)))))


def path_loop(request: Request, say: Say) -> None:
    """A relative link that makes the path longer each time it is followed."""
    say(page("<p>Om os</p>", links("om/os/")))


def growing_query(request: Request, say: Say) -> None:
    """A link that repeats its own query and adds to it."""
    say(page("<p>Resultater</p>", links(f"{request.target}{'&' if '?' in request.target else '?'}side=2")))


class Sessions:
    """Each page hands out links with a session id never seen before."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, request: Request, say: Say) -> None:
        self.given += 1
        number = f"{self.given:032x}"
        say(page("<p>Velkommen</p>", links(f"/session?PHPSESSID={number}", f"/session?side=2&sid={number}")))


def rooms(request: Request, say: Say) -> None:
    """Pages named by a counter, for ever: nothing in the address gives the trap away."""
    number = int(request.target.rpartition("/")[2] or 0)
    say(page(f"<p>Rum {number}</p>", links(f"/rum/{number + 1}")))


# --- answers without end, or none


def slow_body(request: Request, say: Say) -> None:
    """A byte now and then, each soon enough to look alive."""
    say(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        say(b"x")
        time.sleep(0.02)


def slow_headers(request: Request, say: Say) -> None:
    """The same, before the body has begun."""
    say(b"HTTP/1.1 200 OK\r\n")
    while True:
        say(b"x-a: b\r\n")
        time.sleep(0.02)


def silence(request: Request, say: Say) -> None:
    """Takes the request and never answers."""
    time.sleep(5)


def endless_body(request: Request, say: Say) -> None:
    """A page that never ends, as fast as it is taken."""
    say(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>")
    while True:
        say(b"<p>mere</p>" * 1000)


def endless_headers(request: Request, say: Say) -> None:
    """Header lines that never end."""
    say(b"HTTP/1.1 200 OK\r\n")
    while True:
        say(b"x-a: " + b"b" * 1000 + b"\r\n")


def hang_up(request: Request, say: Say) -> None:
    """Closes without a word."""
    raise _Gone


def reset(request: Request, say: Say) -> None:
    """Breaks the connection in the middle of the page (TCP RST)."""
    say(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000\r\n\r\n<html><p>tryg")
    raise ConnectionResetError


LONG_LENGTH = answer(TRYG, content_length=100_000)
SHORT_LENGTH = answer(TRYG + "<p>mere</p>" * 100, content_length=20)
NO_HTTP = b"SSH-2.0-OpenSSH_9.9\r\n"
BARE_CR = b"HTTP/1.1 302 Found\r\nlocation: /b\rset-cookie: a=1\r\ncontent-length: 0\r\n\r\n"
GIANT_HEADER = answer(TRYG, x_a="b" * 1_000_000)
MANY_HEADERS = answer(TRYG, **{f"x_{n}": "b" for n in range(3000)})
NULL_HEADER = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nx-a: \x00\r\ncontent-length: 0\r\n\r\n"
BROKEN_CHUNKS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\nhej\r\n"
)

# --- too much in little


def bomb(coding: str, megabytes: int) -> bytes:
    """Return an answer that unpacks to ``megabytes`` of spaces."""
    chunk, packed = b" " * 1_000_000, b""
    if coding == "gzip":
        packed = gzip.compress(chunk * megabytes, 9)
    elif coding == "br":
        packed = brotli.compress(chunk * megabytes, quality=5)
    elif coding == "zstd":
        packed = zstandard.compress(chunk * megabytes)
    return answer(packed, content_encoding=coding)


def many_lines(count: int) -> bytes:
    """Return a sitemap of ``count`` lines, packed."""
    lines = "".join(f"<url><loc>http://www.proeveby.test/side/{n}</loc></url>" for n in range(count))
    return answer(gzip.compress(f"<urlset>{lines}</urlset>".encode(), 1), content_type="application/gzip")


# --- the server


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: _Server = self.server  # type: ignore[assignment]
        connection: socket.socket = self.request
        with suppress(OSError, _Gone):
            if server.context is not None:
                connection = server.context.wrap_socket(connection, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := connection.recv(65_536)):
                    return
                head += data
            first, *lines = head.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            request = Request(headers.get("host", ""), first.split(" ")[1], headers)
            server.hostile.asked.append(request)
            path = request.target.partition("?")[0]
            found = next(
                (
                    known
                    for name, known in server.hostile.answers.items()
                    if path == name or (name.endswith("*") and path.startswith(name[:-1]))
                ),
                answer(b"", "404 Not Found"),
            )
            try:
                if isinstance(found, bytes):
                    connection.sendall(found)
                else:
                    found(request, connection.sendall)
            except ConnectionResetError:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 64
    hostile: Hostile
    context: ssl.SSLContext | None


@contextmanager
def serve(answers: Mapping[str, Answer | bytes], context: ssl.SSLContext | None = None) -> Iterator[Hostile]:
    """Serve ``answers``; a path that ends in ``*`` stands for all that begin so. With ``context``, over TLS."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.context = context
        server.hostile = Hostile(f"127.0.0.1:{server.server_address[1]}", dict(answers))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.hostile
        finally:
            server.shutdown()
            thread.join()


# --- certificates


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of our own."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: Path


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    days: tuple[int, int],
    host: str | None,
) -> x509.Certificate:
    today = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate is judged by the machine's own clock
    begin, end = (today + dt.timedelta(days=day) for day in days)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host is not None:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return made.sign(signer[1], hashes.SHA256())


def authority(folder: Path) -> Authority:
    """Make a certificate authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), _name("Vores egen CA")
    path = folder / "ca.pem"
    path.write_bytes(
        _certificate(name, key, (name, key), (-10, 10), None).public_bytes(serialization.Encoding.PEM)
    )
    return Authority(name, key, path)


def certificate(
    folder: Path, host: str, signed_by: Authority | None, days: tuple[int, int] = (-1, 10)
) -> ssl.SSLContext:
    """Return a server's TLS context with a certificate for ``host``; self-signed without an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(host)
    signer = (signed_by.name, signed_by.key) if signed_by else (name, key)
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + _certificate(name, key, signer, days, host).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
