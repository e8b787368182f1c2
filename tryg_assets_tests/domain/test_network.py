"""Where connections may go, and that none outlives its deadline."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.network import is_public
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets_tests.loopback import Answer, Server, redirect, serve

POLICY = crawl_policy()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2a00:1450:400f:80d::200e", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::", True),
        ("127.0.0.1", False),
        ("127.255.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("224.0.1.1", False),
        ("240.0.0.1", False),
        ("198.18.0.1", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("fd00:ec2::254", False),
        ("ff0e::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:168.63.129.16", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2002:a9fe:a9fe::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_only_the_public_internet_is_public(address: str, public: bool) -> None:
    assert is_public(address, POLICY.forbidden_networks) is public


@given(st.ip_addresses(v=4))
def test_an_address_in_disguise_is_judged_as_itself(address: Any) -> None:
    number = int(address)
    nat64 = f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}"
    six_to_four = f"2002:{number >> 16:x}:{number & 0xFFFF:x}::"
    assert is_public(f"::ffff:{address}") == is_public(nat64) == is_public(str(address))
    assert is_public(six_to_four) == is_public(str(address))


@given(st.sampled_from(["127.0.0.0/8", "10.0.0.0/8", "fc00::/7", "fe80::/10"]), st.integers(0, 2**23))
def test_no_part_of_a_private_network_is_public(network: str, number: int) -> None:
    assert not is_public(str(ip_network(network)[number]))


Names = dict[str, list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Answers of the name server, by host; each question takes one, the last again and again."""
    known: Names = {}

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
        answers = known.get(host, [host])
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found.split()]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.fixture
def live() -> Iterator[Fetcher]:
    policy = replace(POLICY, limits=replace(POLICY.limits, connect_seconds=0.2))
    with Fetcher(policy, user_agent="x", public_only=True, sleep=lambda _: None) as fetcher:
        yield fetcher


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433.test", "metadata.test", "indre.test"])
def test_the_live_web_never_leads_to_a_private_address(live: Fetcher, names: Names, host: str) -> None:
    names |= {
        "2130706433.test": ["127.0.0.1"],
        "metadata.test": ["169.254.169.254"],
        "indre.test": ["10.0.0.1 192.168.0.1 ::1"],
    }
    with serve({"/": Answer(b"hemmeligt")}) as server:
        reply = live.get(f"http://{host}:{server.address.rpartition(':')[2]}/")
        assert (reply.status, server.asked) == (None, [])
    assert "has no public address" in (reply.problem or "")


def test_a_name_that_changes_between_check_and_use_gains_nothing(
    live: Fetcher, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["skift.test"] = ["93.184.215.14", "127.0.0.1"]
    connected: list[str] = []

    def connect(place: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(place[0])
        raise ConnectionRefusedError("only looking")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert live.get("http://skift.test/").status is None
    assert connected == ["93.184.215.14"], "the address that was judged; the later ones are refused"


def test_each_hop_is_judged_anew(live: Fetcher, names: Names) -> None:
    with serve({"/": redirect("http://127.0.0.1/")}) as server:
        port = server.address.rpartition(":")[2]
        assert live.get(f"http://127.0.0.1:{port}/").status is None
        assert server.asked == []


def _raw_server(talk: Callable[[socket.socket], None], *, wait_for_request: bool = True) -> Iterator[str]:
    """Serve below HTTP: each connection is given to ``talk``, which may do what it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    if wait_for_request:
                        connection.recv(65536)
                    talk(connection)

        threading.Thread(target=run, daemon=True).start()
        yield "{}:{}".format(*listener.getsockname())
        listener.shutdown(socket.SHUT_RDWR)


def _drip(start: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.01)

    return talk


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
    ids=["in the headers", "in the body"],
)
def test_a_slow_drip_ends_at_the_deadline(start: bytes) -> None:
    policy = replace(POLICY, limits=replace(POLICY.limits, seconds=0.1))
    started = time.monotonic()
    for address in _raw_server(_drip(start)):
        with Fetcher(policy, user_agent="x", sleep=lambda _: None) as fetcher:
            reply = fetcher.get(f"http://{address}/")
        assert (reply.status, (reply.problem or "").partition(":")[0]) == (None, "ReadTimeout")
        assert time.monotonic() - started < 1.5, "three tries of a tenth of a second each"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "RemoteProtocolError"),
        (b"\x00\x01\x02 what", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"Content-Length: 0\r\n\r\n", "more than 200 header"),
    ],
    ids=["giant header", "cut short", "impossible length", "no HTTP", "hangs up", "many headers"],
)
def test_what_breaks_the_rules_of_http_is_told(answer: bytes, problem: str) -> None:
    for address in _raw_server(lambda connection: connection.sendall(answer)):
        with Fetcher(POLICY, user_agent="x", sleep=lambda _: None) as fetcher:
            reply = fetcher.get(f"http://{address}/")
        assert problem in (reply.problem or "")
        assert reply.body == b""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a certificate for www.aeroe.test, and a client's that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.aeroe.test")])
    now = datetime.now(UTC)  # noqa: TID251 - a certificate is judged by the real clock
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("www.aeroe.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "both.pem").write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    ("host", "trusting", "status"),
    [("www.aeroe.test", True, 200), ("www.aeroe.test", False, None), ("www.andet.test", True, None)],
    ids=["right name", "unknown issuer", "wrong name"],
)
def test_the_certificate_is_checked_against_the_name_wherever_the_connection_goes(
    certificates: tuple[ssl.SSLContext, ssl.SSLContext], host: str, trusting: bool, status: int | None
) -> None:
    asked: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        with certificates[0].wrap_socket(connection, server_side=True) as secure:
            asked.append(secure.recv(65536))
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhej")

    tls = certificates[1] if trusting else None
    for address in _raw_server(talk, wait_for_request=False):
        with Fetcher(POLICY, user_agent="x", address=address, tls=tls, sleep=lambda _: None) as fetcher:
            reply = fetcher.get(f"https://{host}/")
    assert reply.status == status, reply.problem
    if status:
        assert f"host: {host}".encode() in asked[0].lower()
    else:
        assert asked == []
        assert "CERTIFICATE_VERIFY_FAILED" in (reply.problem or "")


def test_hosts_take_turns_on_a_connection_each(names: Names) -> None:
    names |= {"a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]}
    with (
        serve({"/": Answer(b"hej")}) as server,
        Fetcher(POLICY, user_agent="x", sleep=lambda _: None) as fetcher,
    ):
        port = _port(server)
        replies = [fetcher.get(f"http://{host}.test:{port}/") for host in ("a", "b", "a")]
    assert [reply.body for reply in replies] == [b"hej"] * 3
    assert [request.headers["host"] for request in server.asked] == [f"{h}.test:{port}" for h in "aba"]


def _port(server: Server) -> str:
    return server.address.rpartition(":")[2]
