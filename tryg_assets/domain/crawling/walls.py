"""Pages whose text is not there to be read: soft 404, login, cookie consent, JavaScript. One place decides, from ``data/codebook/walls.yml``."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError

_NAMES = ("soft_404", "login_wall", "cookie_wall", "needs_javascript")


@dataclass(frozen=True, slots=True)
class _Wall:
    most_words: int
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WallRules:
    """The rules of ``walls.yml``; ``roots`` is a selector, ``longest`` the length in characters beyond which no wall is looked for."""

    opening: int
    walls: dict[str, _Wall]
    login_alone: tuple[str, ...]
    roots: str
    bare_words: int
    longest: int


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
            walls={name: _Wall(raw[name]["most_words"], tuple(raw[name]["phrases"])) for name in _NAMES},
            login_alone=tuple(raw["login_wall"]["alone"]),
            roots=",".join(f"[id={root}]" for root in raw["needs_javascript"]["roots"]),
            # A word with its space has hardly more letters: no need to count the words of a longer text.
            longest=40 * max(raw[name]["most_words"] for name in _NAMES),
            bare_words=raw["needs_javascript"]["bare_words"],
        )
    except (KeyError, TypeError) as problem:
        raise DataFileError(
            path, "file", f"{problem} is missing or unknown", "Compare with git."
        ) from problem


def soft_404_phrase(title: str, text: str) -> str | None:
    """Return the phrase that shows that the server had no such page, or ``None``."""
    return _Opening.of(title, text).phrase("soft_404")


def wall_of(title: str, text: str, tree: LexborHTMLParser, noscript: str) -> str | None:
    """Return which wall stands in front of a page's text, or ``None``: soft_404, login_wall, cookie_wall, needs_javascript.

    ``tree`` and ``noscript`` show what the wording alone does not: a field for a password, an element that a script fills.
    """
    rules = wall_rules()
    if len(text) > rules.longest:
        return None
    opening = _Opening.of(title, text)
    if opening.phrase("soft_404"):
        return "soft_404"
    if opening.phrase("login_wall") and (
        any(phrase in opening.text for phrase in rules.login_alone)
        or tree.css_first('input[type="password"]')
    ):
        return "login_wall"
    if opening.phrase("cookie_wall"):
        return "cookie_wall"
    if opening.phrase("needs_javascript") or (
        opening.words <= rules.bare_words
        and (tree.css_first(rules.roots) or _Opening.of("", noscript).phrase("needs_javascript"))
    ):
        return "needs_javascript"
    return None


@dataclass(frozen=True, slots=True)
class _Opening:
    text: str
    words: int

    @classmethod
    def of(cls, title: str, text: str) -> _Opening:
        return cls(f"{title}\n{text[: wall_rules().opening]}".lower(), len(text.split()))

    def phrase(self, wall: str) -> str | None:
        rule = wall_rules().walls[wall]
        if self.words > rule.most_words:
            return None
        return next((phrase for phrase in rule.phrases if phrase in self.text), None)
