"""The command line as a user runs it: in a process of its own, in an empty folder, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tryg_assets_tests.loopback import Answer, Server, page, serve

Tryg = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tryg(tmp_path: Path) -> Tryg:
    """Return a function that runs ``tryg`` in an empty folder with only the variables it is given."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "300", **variables}
        return subprocess.run(
            [sys.executable, "-m", "tryg_assets.cli", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


STRATEGY = page(
    "<h1>Tryghedsstrategi 2024-2027</h1>",
    "<p>Byrådet har vedtaget en tryghedsstrategi, der skal gøre det trygt at færdes i hele kommunen.</p>",
    "<p>Strategien gennemføres af kommunen sammen med Nordjyllands Politi og Natteravnene i natte­livet.</p>",
    "<p>Der er afsat 2 mio. kr. om året til tryghedsvandringer, bedre belysning og en tryghedskoordinator.</p>",
    title="Tryghedsstrategi",
)
VALUES = page(
    "<h1>Åbningstider i borgerservice</h1>",
    "<p>Borgerservice har åbent mandag til fredag fra 9 til 14. Du kan trygt kontakte os på telefon.</p>",
    title="Åbningstider",
)
HOME = page(
    "<h1>Velkommen</h1><p>Vi samler al information til borgere og virksomheder på denne side.</p>",
    '<p><a href="/strategi">Strategi</a></p><p><a href="/aabningstider">Åbningstider</a></p>',
)


@pytest.fixture
def two_sites(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """Serve two small websites by host name on one port, and write the list of sites that names them."""
    answers: dict[str, Answer | list[Answer]] = {
        "en.test/": HOME,
        "en.test/strategi": Answer(STRATEGY.body, etag='"s1"'),
        "en.test/aabningstider": Answer(VALUES.body, etag='"v1"'),
        "to.test/": Answer(status=500),
        "to.test/robots.txt": Answer(status=500),
    }
    with serve(answers) as server:
        path = tmp_path / "sites.csv"
        rows = ["slug,name,type,website,address"]
        rows += [
            f"{slug},{slug.title()} Kommune,opland,http://{slug}.test/,{server.address}"
            for slug in ("en", "to")
        ]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        yield server, path
