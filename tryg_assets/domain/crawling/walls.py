"""Pages whose text is not there to be read: soft 404, login, cookie consent, JavaScript. One place decides, from ``data/codebook/walls.yml``."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError


@dataclass(frozen=True, slots=True)
class Signs:
    """What the markup of a page shows beside its text: a password field, its ``<noscript>`` text, elements for a script to fill."""

    password: bool = False
    noscript: str = ""
    root: bool = False
    scripts: bool = False


@dataclass(frozen=True, slots=True)
class _Wall:
    most_words: int
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WallRules:
    """The rules of ``walls.yml``."""

    opening: int
    walls: dict[str, _Wall]
    login_alone: tuple[str, ...]
    roots: tuple[str, ...]
    bare_words: int


@functools.cache
def wall_rules() -> WallRules:
    """Return the rules.

    Raises:
        DataFileError: a rule is missing.
    """
    path = paths.CODEBOOK / "walls.yml"
    raw = read_yaml(path)
    try:
        return WallRules(
            opening=raw["opening"],
            walls={
                name: _Wall(raw[name]["most_words"], tuple(raw[name]["phrases"]))
                for name in ("soft_404", "login_wall", "cookie_wall", "needs_javascript")
            },
            login_alone=tuple(raw["login_wall"]["alone"]),
            roots=tuple(raw["needs_javascript"]["roots"]),
            bare_words=raw["needs_javascript"]["bare_words"],
        )
    except (KeyError, TypeError) as problem:
        raise DataFileError(path, "file", f"{problem} is missing or unknown", "Compare with git.") from problem


def soft_404_phrase(title: str, text: str) -> str | None:
    """Return the phrase that shows that the server had no such page, or ``None``."""
    return _phrase("soft_404", title, text)


def wall_of(title: str, text: str, signs: Signs) -> str | None:
    """Return which wall stands in front of a page's text, or ``None``: soft_404, login_wall, cookie_wall, needs_javascript, empty."""
    rules = wall_rules()
    if _phrase("soft_404", title, text):
        return "soft_404"
    if phrase := _phrase("login_wall", title, text):
        opening = _opening(title, text)
        if signs.password or phrase in rules.login_alone or any(alone in opening for alone in rules.login_alone):
            return "login_wall"
    if _phrase("cookie_wall", title, text):
        return "cookie_wall"
    bare = _at_most(text, rules.bare_words)
    if _phrase("needs_javascript", title, text) or (
        bare and (signs.root or _phrase("needs_javascript", "", signs.noscript))
    ):
        return "needs_javascript"
    return None if text.strip() else "empty"


def _opening(title: str, text: str) -> str:
    return f"{title}\n{text[: wall_rules().opening]}".lower()


def _phrase(wall: str, title: str, text: str) -> str | None:
    rule = wall_rules().walls[wall]
    if not _at_most(text, rule.most_words):
        return None
    opening = _opening(title, text)
    return next((phrase for phrase in rule.phrases if phrase in opening), None)


def _at_most(text: str, words: int) -> bool:
    # Words are at least a letter and a space; long texts, the many, are not split.
    return len(text) < words * 40 and len(text.split()) <= words
