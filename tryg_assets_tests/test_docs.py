"""The documents say what is there: generated files are fresh, and what the README names exists, and the other way round."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tryg_assets import paths
from tryg_assets.cli import app
from tryg_assets.docs import documents
from tryg_assets.settings import Settings

README = (paths.PROJECT / "README.md").read_text(encoding="utf-8")
MARKDOWN = sorted(
    path
    for path in paths.PROJECT.rglob("*.md")
    if not any(part.startswith(".") for part in path.relative_to(paths.PROJECT).parts)
)


def commands(group: Any, name: str = "tryg") -> Iterator[tuple[str, Any]]:
    """Yield (full name, command) of every command below ``group``."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


COMMANDS = dict(commands(typer.main.get_command(app)))


def examples(text: str) -> list[list[str]]:
    """Return each ``tryg ...`` in code, as words, without the variables set before it."""
    code = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in code for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)
    found = (re.search(r"(?:^|\s|/)(tryg [a-z].*)", line) for line in lines)
    return [shlex.split(match.group(1), comments=True) for match in found if match]


def named(words: list[str]) -> str:
    """Return the full name of the command an example runs."""
    return next((name for name in COMMANDS if words[: len(name.split())] == name.split()), " ".join(words))


@pytest.mark.parametrize("path", sorted(documents()), ids=lambda path: path.name)
def test_generated_documents_are_fresh(path: Path) -> None:
    """If this fails: ``python -m tryg_assets.docs``."""
    assert path.read_text(encoding="utf-8") == documents()[path]


@pytest.mark.parametrize("words", examples(README), ids=" ".join)
def test_every_command_in_the_readme_exists_with_its_options(words: list[str]) -> None:
    command = COMMANDS[named(words)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= options


def test_the_readme_shows_every_command() -> None:
    assert {named(words) for words in examples(README)} == set(COMMANDS)


def test_the_readme_lists_every_setting_with_its_default() -> None:
    table = dict(re.findall(r"^\| `(TRYG_[A-Z_]+)` \| `?([^`|]+?)`? \|", README, re.MULTILINE))
    assert table == {
        f"TRYG_{name.upper()}": "-" if field.default is None else str(field.default)
        for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(paths.PROJECT)))
def test_no_document_names_a_setting_that_does_not_exist(path: Path) -> None:
    known = {f"TRYG_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bTRYG_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(paths.PROJECT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (paths.PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert (
        set(re.findall(r"`make ([a-z]+)", README)) | set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))
        <= targets
    )


def test_the_instance_of_a_server_is_the_shipped_one_with_postgres_and_more_runs() -> None:
    shipped = yaml.safe_load(paths.DAGSTER_YAML.read_text(encoding="utf-8"))
    server = yaml.safe_load((paths.PROJECT / "deploy" / "dagster-postgres.yaml").read_text(encoding="utf-8"))
    assert set(server.pop("storage")) == {"postgres"}
    runs = "max_concurrent_runs"
    assert server["concurrency"]["runs"].pop(runs) > shipped["concurrency"]["runs"].pop(runs)
    assert server == shipped


def test_the_version_of_dagster_postgres_fits_the_pinned_dagster() -> None:
    project = tomllib.loads((paths.PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = next(
        entry.removeprefix("dagster-duckdb==")
        for entry in project["dependencies"]
        if entry.startswith("dagster-duckdb==")
    )
    assert project["optional-dependencies"]["postgres"] == [f"dagster-postgres=={pinned}"]
