"""A stand-in for a server of the Messages API, on loopback: real paths, real HTTP, answers from rules on the text. It is no model.

For use by hand: ``python -m tryg_assets_tests.standin --port 8890``, then ``ANTHROPIC_BASE_URL=http://127.0.0.1:8890``.
It counts its own tokens and keeps a bill, so that a ledger can be compared with what was charged.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tryg_assets.clock import system_clock

CACHEABLE = 512  # tokens; a shorter prefix is silently not cached, as with the real one
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-opus-5", "claude-haiku-4-5")
STATUS = {
    "rate_limit": 429,
    "overloaded": 529,
    "server_error": 500,
    "bad_request": 400,
    "no_credit": 400,
    "no_key": 401,
}
SAID = {"no_credit": "Your credit balance is too low to access the API. Please go to Plans & Billing."}
KINDS = {
    429: "rate_limit_error",
    529: "overloaded_error",
    500: "api_error",
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
}

Body = dict[str, Any]


@dataclass(slots=True)
class Fault:
    """What goes wrong ``times`` times with requests whose text contains ``about``.

    Before anything is charged: rate_limit, overloaded, server_error, bad_request, no_credit, no_key, reset, login_page. Charged all the
    same: lost_reply, slow, gateway (which answers ``status`` instead). In the answer: refusal, cut_off, thinking, wrong_enum, not_json,
    fenced, invented_quote, no_usage. Of single requests in a batch: expired, errored, invalid, canceled. Of batches: foreign_results,
    short_results.
    """

    kind: str
    times: int = 1
    about: str = ""
    status: int = 504


@dataclass(frozen=True, slots=True)
class Charge:
    """One answer on the bill. ``key`` is the custom id in a batch, else a digest of the request."""

    key: str
    model: str
    usage: Body
    batch: bool


@dataclass(slots=True)
class Batch:
    """A batch as the server keeps it."""

    id: str
    requests: list[Body]
    created: datetime
    looks: int
    results: list[Body] | None = None
    canceled: bool = False


@dataclass(slots=True)
class StandIn:
    """A running stand-in; ``charges`` is its bill, ``asked`` every request body it got on /v1/messages."""

    port: int = 0
    batch_looks: int = 1  # how often a batch must be looked at before it has ended
    offers_batches: bool = True
    delay: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    asked: list[Body] = field(default_factory=list)
    batches: dict[str, Batch] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)
    keep: bool = True
    complaint: str = ""  # what an error says beside its kind
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, kind: str, times: int = 1, about: str = "", status: int = 504) -> None:
        """Let the next ``times`` requests that contain ``about`` go wrong."""
        with self._lock:
            self.faults.append(Fault(kind, times, about, status))

    def calls(self) -> int:
        """How many answers were charged."""
        with self._lock:
            return len(self.charges)

    def take(self, text: str, *kinds: str) -> str | None:
        """Return the kind of the first fault that applies, and use it up once."""
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.kind in kinds and fault.about in text:
                    fault.times -= 1
                    return fault.kind
        return None

    def gateway_status(self) -> int:
        """Return what a gateway between us and the server says of a request it gave up on."""
        return next(fault.status for fault in self.faults if fault.kind == "gateway")

    def answer(self, body: Body, *, key: str, batch: bool) -> Body:
        """Return the message that answers ``body``, and put it on the bill."""
        text = content_of(body)
        fault = self.take(
            text,
            "refusal",
            "cut_off",
            "thinking",
            "wrong_enum",
            "not_json",
            "fenced",
            "invented_quote",
            "no_usage",
        )
        content = answer_of(body)
        if fault == "invented_quote" and "quote" in content:
            content["quote"] = "Det har siden aldrig sagt om tryghed"
        if fault == "wrong_enum":
            content = {
                name: "noget andet" if isinstance(value, str) else value for name, value in content.items()
            } | {"decision": "maybe"}
        said = json.dumps(content, ensure_ascii=False)
        if fault == "not_json":
            said = "Jeg mener, at siden handler om tryghed."
        if fault == "fenced":
            said = f"```json\n{said}\n```"
        stop = {"refusal": "refusal", "cut_off": "max_tokens"}.get(fault or "", "end_turn")
        if fault == "cut_off":
            said = said[: len(said) // 2]
        blocks = [] if fault == "refusal" else [{"type": "text", "text": said}]
        if fault == "thinking":
            blocks.insert(0, {"type": "thinking", "thinking": "Lad mig se.", "signature": "s"})
        usage = self._usage(body, 0 if fault == "refusal" else tokens(said))
        with self._lock:
            self.charges.append(Charge(key, body["model"], usage, batch))
        return {
            "id": f"msg_{uuid.uuid4().hex[:24]}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": blocks,
            "stop_reason": stop,
            "stop_sequence": None,
            **({} if fault == "no_usage" else {"usage": usage}),
        }

    def _usage(self, body: Body, output: int) -> Body:
        prefix, rest = prompt_tokens(body)
        system = body.get("system") or []
        mark = system[-1].get("cache_control") if isinstance(system, list) and system else None
        read = written = 0
        if mark and prefix >= CACHEABLE:
            name = json.dumps([body["model"], system], sort_keys=True)
            with self._lock:
                read, written = (prefix, 0) if name in self.cached else (0, prefix)
                self.cached.add(name)
        hour = bool(mark) and mark.get("ttl") == "1h"
        return {
            "input_tokens": rest + prefix - read - written,
            "output_tokens": output,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0 if hour else written,
                "ephemeral_1h_input_tokens": written if hour else 0,
            },
        }

    def look(self, batch: Batch) -> Body:
        """Return a batch as it is shown, and let it end when it has been looked at often enough."""
        with self._lock:
            if batch.results is None:
                batch.looks -= 1
                if batch.looks < 0:
                    self.end(batch)
            return self._shown(batch)

    def end(self, batch: Batch) -> None:
        """Answer every request of a batch, in reverse order."""
        results = []
        for request in reversed(batch.requests):
            key, params = request["custom_id"], request["params"]
            fault = (
                "canceled"
                if batch.canceled
                else self.take(content_of(params), "expired", "errored", "invalid", "canceled")
            )
            if fault in ("errored", "invalid"):
                kind = "api_error" if fault == "errored" else "invalid_request_error"
                error = {"type": "error", "error": {"type": kind, "message": f"stand-in: {fault}"}}
                results.append({"custom_id": key, "result": {"type": "errored", "error": error}})
            elif fault:
                results.append({"custom_id": key, "result": {"type": fault}})
            else:
                message = self.answer(params, key=key, batch=True)
                results.append({"custom_id": key, "result": {"type": "succeeded", "message": message}})
        batch.results = results
        batch.requests = [{"custom_id": request["custom_id"]} for request in batch.requests]

    def _shown(self, batch: Batch) -> Body:
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        if batch.results is None:
            counts["processing"] = len(batch.requests)
        for result in batch.results or ():
            counts[result["result"]["type"]] += 1
        ended = batch.results is not None
        address = "http://elsewhere.test" if ended and self.take("", "foreign_results") else self.url
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "canceling" if batch.canceled else "in_progress",
            "request_counts": counts,
            "created_at": batch.created.isoformat(),
            "expires_at": (batch.created + timedelta(hours=24)).isoformat(),
            "ended_at": batch.created.isoformat() if ended else None,
            "results_url": f"{address}/v1/messages/batches/{batch.id}/results" if ended else None,
        }


def tokens(text: str) -> int:
    """Count tokens in the stand-in's own way: pieces of words of at most three characters, and every sign."""
    return len(_PIECE.findall(text))


_PIECE = re.compile(r"\w{1,3}|[^\w\s]")


def prompt_tokens(body: Body) -> tuple[int, int]:
    """Return the tokens of the part that can be cached, and of the rest."""
    system = body.get("system") or ""
    blocks = [system] if isinstance(system, str) else [block["text"] for block in system]
    schema = (body.get("output_config") or {}).get("format", {}).get("schema", {})
    return sum(map(tokens, blocks)), tokens(content_of(body)) + tokens(json.dumps(schema)) + 10


def content_of(body: Body) -> str:
    parts = []
    for message in body["messages"]:
        content = message["content"]
        parts.append(
            content if isinstance(content, str) else "".join(block.get("text", "") for block in content)
        )
    return "\n".join(parts)


# --- answers ---------------------------------------------------------------------------------------------------------

_SENTENCE = re.compile(r"^S(\d+): (# )?(.*)$", re.MULTILINE)
_ACTOR_LINE = re.compile(r"^A(\d+): (.*?) \| ", re.MULTILINE)
_DONE = re.compile(
    r"strategi|plan|projekt|vedtaget|besluttet|afsat|indsats|kampagne|vandring|samarbejde|partnerskab",
    re.IGNORECASE,
)
_ACTOR = re.compile(
    r"\b(?:Byrådet|Kommunalbestyrelsen|[A-ZÆØÅ]\w+ Politi|Natteravnene|Natteravne|Borgmesteren|Ældrerådet|SSP|Røde Kors)\b"
)
_AREA_WORDS = {
    "trafiksikkerhed": "trafik|cykel|skolevej",
    "sundhed_trivsel": "sundhed|trivsel|ældre|pleje",
    "kriminalitet_vold": "politi|kriminal|vold|natteliv",
    "bymiljoe_bolig": "belysning|bolig|byrum|bydel",
    "familie_boern_unge": "unge|børn|familie|skole",
    "borgerengagement_demokrati": "borger|frivillig|vandring",
}
_PLACES = {
    "politi": ("statslige", "politi"),
    "natteravn": ("civil", "natteravne"),
    "råd": ("kommunale", "borgmester"),
    "borgmester": ("kommunale", "borgmester"),
}


def answer_of(body: Body) -> Body:
    """Answer by rules on the text; the form asked for says which question it is."""
    schema = (body.get("output_config") or {}).get("format", {}).get("schema", {})
    wanted, text = schema.get("properties", {}), content_of(body)
    if "decision" in wanted:
        return _decide(text)
    if "initiatives" in wanted:
        return _describe(text, wanted["initiatives"]["items"]["properties"])
    if "actors" in wanted:
        return _actors(text)
    if "placements" in wanted:
        return _place(text, wanted["placements"]["items"]["properties"]["category"]["enum"])
    return {}


def _sentences(text: str) -> list[tuple[int, bool, str]]:
    return [(int(number), bool(heading), said) for number, heading, said in _SENTENCE.findall(text)]


def _evidence(text: str) -> list[tuple[int, str]]:
    """Return the sentences that speak of safety and of something done, headings last."""
    found = [
        (heading, number, said)
        for number, heading, said in _sentences(text)
        if "tryg" in said.lower() and _DONE.search(said)
    ]
    return [(number, said) for _, number, said in sorted(found)]


def _quote(said: str) -> str:
    return " ".join(said.split()[:12])


def _decide(text: str) -> Body:
    found = _evidence(text)
    decision = "yes" if found else "doubt" if text.lower().count("tryg") > 4 else "no"
    criterion = next(
        (kind for kind in ("strategi", "handleplan", "projekt", "program") if kind in text.lower()),
        "besluttet_aktivitet",
    )
    return {
        "sentences": [number for number, _ in found[:2]],
        "quote": _quote(found[0][1]) if found else "",
        "criterion": criterion if decision == "yes" else "ingen",
        "decision": decision,
        "confidence": min(5, 3 + len(found)) if decision != "doubt" else 2,
    }


def _describe(text: str, wanted: Body) -> Body:
    found = _evidence(text) or [(number, said) for number, _, said in _sentences(text)[:1]]
    title = re.search(r"^Titel: (.*)$", text, re.MULTILINE)
    low = text.lower()
    areas = {
        area: bool(re.search(_AREA_WORDS.get(area, "$^"), low)) for area in wanted["areas"]["properties"]
    }
    money = re.search(r"(\d+) mio\. kr\.", text)
    return {
        "initiatives": [
            {
                "name": title[1] if title else "Uden navn",
                "kind": _decide(text)["criterion"]
                if found and _decide(text)["criterion"] != "ingen"
                else "besluttet_aktivitet",
                "sentences": [number for number, _ in found[:2]],
                "quote": _quote(found[0][1]) if found else "",
                "areas": areas,
                "themes": [],
                "target_group": "ikke_angivet",
                "place": "",
                "department": "",
                "economy_dkk": int(money[1]) * 1_000_000 if money else 0,
                "users_per_year": 0,
                "organisation_form": "ikke_angivet",
            }
        ]
    }


def _actors(text: str) -> Body:
    found = [
        {"surface": match[0], "name": match[0], "scope": "local", "role": "deltager", "sentence": number}
        for number, _, said in _sentences(text)
        for match in _ACTOR.finditer(said)
    ]
    return {"actors": found}


def _place(text: str, categories: list[str]) -> Body:
    placed = []
    for number, name in _ACTOR_LINE.findall(text):
        wanted = next((starts for part, starts in _PLACES.items() if part in name.lower()), ())
        fitting = (
            next((category for category in categories if category.startswith(wanted)), "uafklaret")
            if wanted
            else "uafklaret"
        )
        placed.append({"actor": int(number), "category": fitting})
    return {"placements": placed}


# --- over HTTP -------------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        at, query = self._where()
        one = self.server.standin
        if at == ["models"]:
            self._json(
                {
                    "data": [_model(name) for name in MODELS],
                    "has_more": False,
                    "first_id": MODELS[0],
                    "last_id": MODELS[-1],
                }
            )
        elif at[:1] == ["models"] and at[1] in MODELS:
            self._json(_model(at[1]))
        elif at[:2] == ["messages", "batches"] and one.offers_batches:
            self._get_batch(at[2:], query)
        else:
            self._error(404, f"no {self.path} here")

    def do_POST(self) -> None:
        at, _ = self._where()
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if at == ["messages"]:
            self._message(body)
        elif at == ["messages", "count_tokens"]:
            self._json({"input_tokens": sum(prompt_tokens(body))})
        elif at == ["messages", "batches"] and self.server.standin.offers_batches:
            self._create_batch(body)
        elif at[:2] == ["messages", "batches"] and at[3:] == ["cancel"]:
            batch = self.server.standin.batches[at[2]]
            batch.canceled = True
            self._json(self.server.standin._shown(batch))
        else:
            self._error(404, f"no {self.path} here")

    def _message(self, body: Body) -> None:
        one = self.server.standin
        text = content_of(body)
        if one.keep:
            one.asked.append(body)
        fault = one.take(text, *STATUS, "reset", "lost_reply", "slow", "gateway", "login_page")
        if fault in STATUS:
            self._error(STATUS[fault], SAID.get(fault, f"stand-in: {fault}{one.complaint}"))
            return
        if fault == "login_page":
            self._send(200, "text/html", b"<html>Log in to the guest network</html>")
            return
        if fault == "reset":
            self._break_off()
            return
        if fault == "slow" or one.delay:
            time.sleep(one.delay or 0.5)
        message = one.answer(body, key=json.dumps(body["messages"], ensure_ascii=False), batch=False)
        if fault == "lost_reply":
            self._break_off()
        elif fault == "gateway":
            self._send(one.gateway_status(), "text/html", b"<html>The gateway gave up</html>")
        elif body.get("stream"):
            self._stream(message)
        else:
            self._json(message)

    def _create_batch(self, body: Body) -> None:
        one = self.server.standin
        fault = one.take("", *STATUS, "reset", "lost_reply", "gateway")
        if fault in STATUS:
            self._error(STATUS[fault], SAID.get(fault, f"stand-in: {fault}{one.complaint}"))
            return
        if fault == "reset":
            self._break_off()
            return
        with one._lock:
            batch = Batch(f"msgbatch_{uuid.uuid4().hex}", body["requests"], system_clock(), one.batch_looks)
            one.batches[batch.id] = batch
        if fault == "lost_reply":
            self._break_off()
        elif fault == "gateway":
            self._send(one.gateway_status(), "text/html", b"<html>The gateway gave up</html>")
        else:
            self._json(one._shown(batch))

    def _get_batch(self, at: list[str], query: dict[str, list[str]]) -> None:
        one = self.server.standin
        if not at:
            shown = [one.look(batch) for batch in reversed(one.batches.values())]
            ids = [batch["id"] for batch in shown] or [None]
            self._json(
                {
                    "data": [] if query.get("after_id") else shown,
                    "has_more": False,
                    "first_id": ids[0],
                    "last_id": ids[-1],
                }
            )
        elif at[0] not in one.batches:
            self._error(404, f"no batch {at[0]}")
        elif at[1:] == ["results"]:
            results = one.batches[at[0]].results or []
            if one.take("", "short_results"):
                results = results[: len(results) // 2]
            lines = (json.dumps(result, ensure_ascii=False) for result in results)
            said = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
            self._send(200, "application/x-jsonl", said)
        else:
            self._json(one.look(one.batches[at[0]]))

    def _stream(self, message: Body) -> None:
        start = message | {"content": [], "stop_reason": None}
        events: list[Body] = [{"type": "message_start", "message": start}]
        for index, block in enumerate(message["content"]):
            delta = {"type": "text_delta", "text": block.get("text", "")}
            empty = {"type": block["type"], "text": ""}
            events.append({"type": "content_block_start", "index": index, "content_block": empty})
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
            events.append({"type": "content_block_stop", "index": index})
        ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        events.append({"type": "message_delta", "delta": ended, "usage": message["usage"]})
        events.append({"type": "message_stop"})
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self._send(200, "text/event-stream", text.encode())

    def _where(self) -> tuple[list[str], dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path.removeprefix("/v1/").split("/"), parse_qs(parts.query)

    def _json(self, value: Body) -> None:
        self._send(200, "application/json", json.dumps(value).encode())

    def _error(self, status: int, message: str) -> None:
        error = {"type": "error", "error": {"type": KINDS[status], "message": message}}
        self._send(status, "application/json", json.dumps(error).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status in (429, 529):
            self.send_header("retry-after-ms", "5")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked was killed
            self.wfile.write(body)

    def _break_off(self) -> None:
        """Reset the connection without an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        super().__init__(("127.0.0.1", standin.port), _Handler)
        standin.port = self.server_port

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that was killed breaks its connections."""


def _model(name: str) -> Body:
    return {
        "type": "model",
        "id": name,
        "display_name": f"stand-in for {name}",
        "created_at": "2026-01-01T00:00:00Z",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


@contextmanager
def stand_in(**settings: Any) -> Iterator[StandIn]:
    """Serve a stand-in while the block runs."""
    standin = StandIn(**settings)
    server = _Server(standin)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description="A stand-in for a server of the Messages API. It is no model."
    )
    parser.add_argument("--port", type=int, default=8890)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND:TIMES", help="what is to go wrong, how often"
    )
    given = parser.parse_args()
    standin = StandIn(port=given.port, delay=given.delay, keep=False)
    for fault in given.fault:
        kind, _, times = fault.partition(":")
        standin.fail(kind, int(times or 1))
    print(f"Stand-in (no model): ANTHROPIC_BASE_URL=http://127.0.0.1:{given.port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        _Server(standin).serve_forever()


if __name__ == "__main__":
    main()
