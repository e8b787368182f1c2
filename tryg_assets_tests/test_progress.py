"""Progress of crawls in other processes, told by small files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tryg_assets.progress import Reporter, Standing, clear, standings


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_crawl_is_noted_at_most_once_a_second_and_gone_when_done(tmp_path: Path) -> None:
    watch = Watch()
    report = Reporter(tmp_path, "aarhus", seconds=watch)
    report(1, 0, 5)
    assert standings(tmp_path) == []
    watch.now += 2
    report(4, 1, 8)
    watch.now += 0.5
    report(5, 2, 7)
    assert standings(tmp_path) == [Standing("aarhus", 4, 1, 8, 2.0)]
    report.done()
    assert standings(tmp_path) == []


def test_the_standing_is_said_every_half_minute(tmp_path: Path) -> None:
    watch, said = Watch(), []
    report = Reporter(tmp_path, "aarhus", say=said.append, seconds=watch)
    for number in range(1, 91):
        watch.now += 1
        report(number, number // 10, 600)
    assert len(said) == 3
    assert said[0] == "30 addresses asked (1.0 a second), 3 with the stem, 600 waiting, about 10 min left"


@pytest.mark.parametrize(("asked", "seconds"), [(0, 0.0), (0, 5.0)])
def test_no_time_left_is_promised_before_the_first_answer(asked: int, seconds: float) -> None:
    assert Standing("x", asked, 0, 10, seconds).seconds_left is None


def test_damaged_and_left_notes_harm_nobody(tmp_path: Path) -> None:
    report = Reporter(tmp_path, "aarhus", seconds=(watch := Watch()))
    watch.now += 2
    report(1, 1, 1)
    folder = tmp_path / "crawl_state" / "progress"
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / "other.json").write_text('{"slug": "x"}', encoding="utf-8")
    assert [found.slug for found in standings(tmp_path)] == ["aarhus"]
    clear(tmp_path)
    assert standings(tmp_path) == []
