"""What a user gets wrong: one message with file, row and remedy, exit code 1, no traceback, nothing harmed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tryg_assets_tests.e2e.conftest import Tryg


def refused(done: object, *parts: str) -> None:
    code, out = done.returncode, done.stderr  # type: ignore[attr-defined]
    assert code == 1, out
    assert "Traceback" not in out
    for part in parts:
        assert part in out, f"{part!r} is not in: {out}"


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (
            "slug,name,type,website\nen,En,opland,ikke en adresse\n",
            ("row 2", "is not an http(s) address", "https://"),
        ),
        ("slug,name,type\nen,En,opland\n", ("header", "website", "missing")),
        ("slug,name,type,website\nen,En,by,http://en.test/\n", ("row 2", "type 'by' is unknown", "opland")),
        (
            "slug,name,type,website\nen,En,opland,http://a.test/\nen,En,opland,http://b.test/\n",
            ("row 3", "twice"),
        ),
        ("slug,name,type,website,address\nen,En,opland,http://a.test/,nowhere\n", ("row 2", "host:port")),
        ("slug,name,type,website\n", ("lists no site",)),
    ],
)
def test_a_bad_list_of_sites(tryg: Tryg, tmp_path: Path, rows: str, parts: tuple[str, ...]) -> None:
    (tmp_path / "sites.csv").write_text(rows, encoding="utf-8")
    refused(tryg("run", "--sites", "sites.csv"), "sites.csv", *parts)


def test_a_list_of_sites_that_is_not_there(tryg: Tryg) -> None:
    refused(tryg("run", "--sites", "nowhere.csv"), "nowhere.csv", "does not exist")


def test_an_unknown_municipality_gets_a_suggestion(tryg: Tryg) -> None:
    refused(
        tryg("run", "--municipality", "albertsund"),
        "no municipality 'albertsund'",
        "Did you mean 'albertslund'?",
    )


def test_a_home_that_cannot_be_written(tryg: Tryg, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(tryg("run", TRYG_HOME="file/below"), "TRYG_HOME=file/below cannot be written", "Set TRYG_HOME")


def test_a_port_in_use(tryg: Tryg) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(tryg("sample-web", "serve", "--port", port), port, "in use", "--port")


def test_an_unknown_setting_is_named(tryg: Tryg) -> None:
    refused(tryg("doctor", TRYG_ENGNE="x"), "TRYG_ENGNE", "Known settings")


def test_the_live_web_needs_a_contact_address(tryg: Tryg) -> None:
    refused(tryg("run", "--live"), "TRYG_CONTACT")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.doc", b"x", "files of kind '.doc' are not read"),
        ("a.docx", b"x", "the Word document cannot be read"),
        ("a.pdf", b"%PDF-1.4 broken", "cannot be read"),
        ("none.txt", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_coded(
    tryg: Tryg, tmp_path: Path, name: str, content: bytes | None, part: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused(tryg("code", name), name, part)


def test_coding_a_file_as_json(tryg: Tryg, tmp_path: Path) -> None:
    import json

    (tmp_path / "plan.txt").write_text(
        "Tryghedsplan 2025\n\nKommunalbestyrelsen har vedtaget en tryghedsplan for nattelivet.\n\n"
        "Planen gennemføres sammen med politiet og Natteravnene, og der er afsat 500.000 kr. til tryghedsvagter.\n",
        encoding="utf-8",
    )
    done = tryg("code", "plan.txt", "--format", "json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["verdict"] == "kept"
    assert result["is_initiative"] == "yes"
    assert result["engine_label"] == "Regelbaseret, ikke AI"
    assert all(
        entry["text"] in (tmp_path / "plan.txt").read_text(encoding="utf-8") for entry in result["evidence"]
    )
    assert "kriminalitet_vold" in result["focus_areas"]
    assert {actor["subcategory"] for actor in result["actors"]} >= {"politi", "natteravne"}
