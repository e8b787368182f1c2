"""``tryg show`` as a user runs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.fetch import Reply
from tryg_assets.domain.crawling.recorder import Recorder
from tryg_assets_tests.e2e.conftest import Tryg

URL = "http://www.albertslund.kommune.test/plan"
BODY = b"<html><title>Plan</title><body><main><p>En tryg by [nu].</p></main></body></html>"


@pytest.fixture(autouse=True)
def _archive(tmp_path: Path) -> None:
    class Web:
        def get(self, url: str, **_: object) -> Reply:
            return Reply(url, 200, httpx.Headers({"content-type": "text/html"}), BODY)

    moment = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with Archive(tmp_path / ".tryg" / "archive", "albertslund", moment) as archive:
        Recorder(Web(), archive, fixed_clock(moment)).get(URL)


def test_a_page_is_shown_whole_or_in_parts(tryg: Tryg) -> None:
    whole = tryg("show", URL).stdout
    assert "Læst:      21.11.2026" in whole
    assert "Titel:     Plan\n\nEn tryg by [nu].\n" in whole
    assert tryg("show", URL, "--text").stdout == "En tryg by [nu].\n"
    assert tryg("show", URL, "--raw").stdout == BODY.decode()
    assert tryg("show", URL, "--headers").stdout.splitlines() == [
        "status: 200",
        "content-type: text/html",
        f"Content-Length: {len(BODY)}",
    ]


def test_what_was_not_read_is_exit_code_1_and_a_message_without_traceback(tryg: Tryg) -> None:
    done = tryg("show", URL, "--date", "2026-11-20")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Den er første gang læst den 21.11.2026." in done.stderr


def test_two_parts_at_once_are_a_wrong_option(tryg: Tryg) -> None:
    assert tryg("show", URL, "--raw", "--text").returncode == 2
