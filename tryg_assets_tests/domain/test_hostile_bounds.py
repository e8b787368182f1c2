"""What a hostile server can make a crawl hold, wait for or connect to: bombs, drips, floods, certificates, private networks."""

from __future__ import annotations

import multiprocessing
import resource
import ssl
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tryg_assets.clock import fixed_clock
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import CrawlResult, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.sites import Site
from tryg_assets.errors import SiteUnreachable
from tryg_assets_tests import hostile
from tryg_assets_tests.domain.test_hostile import GOOD, HOME, HOST, LIMITS, MOMENT, POLICY, rows
from tryg_assets_tests.hostile import Answer, answer, links, page, serve

SITE = Site("proeveby", "Prøveby", "opland", f"{HOME}/")
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def run(
    folder: Path,
    address: str | None,
    site: Site = SITE,
    body_bytes: int = LIMITS.body_bytes,
    **options: object,
) -> CrawlResult:
    policy = replace(POLICY, limits=replace(LIMITS, body_bytes=body_bytes))
    with (
        Fetcher(policy, user_agent="x", address=address, sleep=lambda _: None, **options) as fetcher,
        Archive(folder, site.slug, MOMENT) as archive,
    ):
        return crawl(site, policy, fetcher, archive, fixed_clock(MOMENT), max_pages=60)


def with_home(answers: Mapping[str, Answer | bytes], *paths: str) -> dict[str, Answer | bytes]:
    return {"/": page("<p>Forside</p>", links(*paths, "/god")), "/god": GOOD, **answers}


def peak_of(folder: Path, address: str, body_bytes: int, told: Connection) -> None:
    """Crawl, and tell the outcomes and by how many megabytes the memory in use grew at its peak."""
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = rows(run(folder, address, body_bytes=body_bytes))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began) / 1024
    told.send(({path: row["outcome"] for path, row in found.items()}, grown))


def measured(
    folder: Path, answers: Mapping[str, Answer | bytes], *paths: str, body_bytes: int = LIMITS.body_bytes
) -> tuple[dict[str, str], float]:
    hears, told = PROCESSES.Pipe(duplex=False)
    with serve(with_home(answers, *paths)) as server:
        process = PROCESSES.Process(target=peak_of, args=(folder, server.address, body_bytes, told))
        process.start()
        told.close()
        try:
            assert hears.poll(90), "the crawl hangs"
            return hears.recv()
        finally:
            process.kill()
            process.join()


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Return by how much the memory grows in a crawl of a well-behaved site (models and libraries are loaded)."""
    return measured(tmp_path_factory.mktemp("usual"), {})[1]


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_is_too_large_and_takes_no_memory(tmp_path: Path, usual: float, coding: str) -> None:
    found, grown = measured(tmp_path, {"/bombe": hostile.bomb(coding, 400)}, "/bombe")
    assert (found["/bombe"], found["/god"]) == ("too_large", "hit")
    assert grown - usual < 40, "megabytes"


@pytest.mark.parametrize(("lines", "fits"), [(300_000, True), (1_000_000, False)])
def test_a_sitemap_of_a_million_lines_is_bounded(
    tmp_path: Path, usual: float, lines: int, fits: bool
) -> None:
    sitemap = hostile.many_lines(lines)
    found, grown = measured(tmp_path, {"/sitemap.xml": sitemap}, body_bytes=20_000_000)
    assert (found["/"], "/side/1" in found) == ("no_stem", fits)
    assert grown - usual < 150, "megabytes"


def test_headers_that_drip_end_at_the_deadline(tmp_path: Path) -> None:
    began = time.monotonic()
    with serve(with_home({"/drip": hostile.slow_headers}, "/drip")) as server:
        found = rows(run(tmp_path, server.address))
    assert (found["/drip"]["outcome"], found["/god"]["outcome"]) == ("error", "hit")
    assert time.monotonic() - began < 20


def test_thousands_of_headers_are_refused(tmp_path: Path) -> None:
    with serve(with_home({"/mange": hostile.MANY_HEADERS}, "/mange")) as server:
        found = rows(run(tmp_path, server.address))
    assert (found["/mange"]["outcome"], found["/god"]["outcome"]) == ("error", "hit")


def test_a_server_that_wants_rest_for_a_day_is_left_alone(tmp_path: Path) -> None:
    storm = answer(b"", "429 For mange", retry_after=86_400)
    answers = with_home({"/storm/*": storm}, *(f"/storm/{n}" for n in range(8)))
    with serve(answers) as server:
        found = rows(run(tmp_path, server.address))
    assert Counter(row["outcome"] for path, row in found.items() if path != "/") == {
        "error": 1,
        "left_alone": 8,
    }
    assert [target for target in server.targets() if target.startswith("/storm")] == ["/storm/0"]


def test_a_server_that_fails_again_and_again_is_left_alone(tmp_path: Path) -> None:
    answers = with_home({"/fejl/*": answer(b"", "500 Av")}, *(f"/fejl/{n}" for n in range(30)))
    with serve(answers) as server:
        result = run(tmp_path, server.address)
    outcomes = Counter(row["outcome"] for row in result.log)
    assert outcomes["error"] == LIMITS.failures_in_a_row
    assert outcomes["left_alone"] == 31 - LIMITS.failures_in_a_row


@pytest.mark.parametrize("fault", ["", "self-signed", "expired", "not yet valid", "another host"])
def test_only_a_sound_certificate_for_the_very_host_is_accepted(tmp_path: Path, fault: str) -> None:
    ours = hostile.authority(tmp_path)
    context = hostile.certificate(
        tmp_path,
        "www.andenby.test" if fault == "another host" else HOST,
        None if fault == "self-signed" else ours,
        {"expired": (-9, -1), "not yet valid": (1, 9)}.get(fault, (-1, 9)),
    )
    trusting = ssl.create_default_context(cafile=str(ours.certificate))
    site = replace(SITE, website=f"https://{HOST}/")
    with serve({"/": GOOD}, context) as server:
        if fault:
            with pytest.raises(SiteUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
                run(tmp_path, server.address, site, tls=trusting)
            assert server.asked == []
        else:
            assert [row["outcome"] for row in run(tmp_path, server.address, site, tls=trusting).log] == [
                "hit"
            ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_on_the_live_web_this_machine_is_never_asked(tmp_path: Path, host: str) -> None:
    with serve({"/": GOOD}) as server:
        port = server.address.partition(":")[2]
        site = replace(SITE, website=f"http://{host}:{port}/")
        with pytest.raises(SiteUnreachable, match="public address"):
            run(tmp_path, None, site, public_only=True)
    assert server.asked == []
