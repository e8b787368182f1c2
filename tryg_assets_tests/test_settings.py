"""Settings are typed, and a wrong one is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tryg_assets.errors import ConfigurationError
from tryg_assets.settings import Settings, ensure_writable, load_settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("TRYG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_the_sample_denmark_is_read() -> None:
    settings = load_settings()
    assert (settings.source, settings.engine, settings.home) == ("sample", "offline-rules", Path(".tryg"))
    assert settings.lake == Path(".tryg/lake")


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"TRYG_HOUSE": "x"}, "Unknown setting TRYG_HOUSE.*TRYG_HOME"),
        ({"TRYG_B": "x", "TRYG_A": "x"}, "Unknown setting TRYG_A, TRYG_B"),
        ({"TRYG_SOURCE": "internet"}, "TRYG_SOURCE='internet'.*What is read"),
        ({"TRYG_ENGINE": "oracle"}, "TRYG_ENGINE='oracle'"),
        ({"TRYG_WORKERS": "0"}, "TRYG_WORKERS='0'"),
        ({"TRYG_WORKERS": "many"}, "TRYG_WORKERS='many'"),
        ({"TRYG_SAMPLE_PORT": "65536"}, "TRYG_SAMPLE_PORT='65536'"),
        ({"TRYG_SECONDS_BETWEEN_REQUESTS": "-1"}, "TRYG_SECONDS_BETWEEN_REQUESTS='-1'"),
        ({"TRYG_MAX_PAGES_PER_SITE": "0"}, "TRYG_MAX_PAGES_PER_SITE='0'"),
        ({"TRYG_SOURCE": "live"}, "TRYG_CONTACT"),
        ({"TRYG_SOURCE": "live", "TRYG_CONTACT": ""}, "TRYG_CONTACT"),
        ({"TRYG_SOURCE": "sites"}, "TRYG_SITES_FILE"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], complaint: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=complaint):
        load_settings()


def test_settings_are_read_from_a_dotenv_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TRYG_SEED=7\nTRYG_WORKERS=3\nOTHER_PROGRAM=x\n")
    monkeypatch.setenv("TRYG_WORKERS", "4")
    settings = load_settings()
    assert (settings.seed, settings.workers) == (7, 4)


def test_an_unknown_setting_in_a_dotenv_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TRYG_SEEED=7\n")
    with pytest.raises(ConfigurationError, match="Unknown setting TRYG_SEEED"):
        load_settings()


@pytest.mark.parametrize(
    ("stated", "own", "pause"), [(None, True, 0.0), (None, False, 1.0), (2.5, True, 2.5), (0, False, 0.0)]
)
def test_only_the_users_own_machine_is_asked_without_a_pause(
    stated: float | None, own: bool, pause: float
) -> None:
    assert Settings.model_validate({"seconds_between_requests": stated}).pause(own=own) == pause


def test_a_home_is_made_where_there_is_none(tmp_path: Path) -> None:
    ensure_writable(tmp_path / "new" / "home")
    assert list((tmp_path / "new" / "home").iterdir()) == []


# The superuser may write to any folder, so a file stands where the folder would be.
@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"TRYG_HOME=.*home.* cannot be written"):
        ensure_writable(tmp_path / "home" / below)
