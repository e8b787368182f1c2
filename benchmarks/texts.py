"""Labelled texts of ours that the offline engine is fitted to and measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import focus_areas, read_yaml
from tryg_assets.errors import DataFileError

TRAINING = paths.GOLD / "training"
MODELLED = paths.GOLD / "modelled"


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its coding. ``group`` is one for texts modelled on pages of the same site; ``said`` holds the answers of the coders
    one by one, empty for texts written to be one or the other."""

    id: str
    group: str
    title: str
    text: str
    initiative: bool
    areas: tuple[str, ...]
    said: tuple[bool, ...] = ()


def training() -> list[Text]:
    """Return the texts written to fit the statistics: of focus areas all, of the page decision those in files ``pages_*``."""
    return [
        Text(f"{path.stem}-{at}", f"{path.stem}-{at}", *_coded(path, at, entry))
        for path in sorted(TRAINING.glob("*.yml"))
        for at, entry in enumerate(read_yaml(path))
    ]


def modelled(*, held_out: bool) -> list[Text]:
    """Return the texts modelled on real pages, either those to be measured on or those that rules may be fitted to."""
    return [
        Text(
            entry["id"],
            f"m-{entry['site']}",
            *_coded(path, at, entry),
            tuple(answer == "yes" for answer in entry["coders"]),
        )
        for path in sorted(MODELLED.glob("*.yml"))
        for at, entry in enumerate(read_yaml(path))
        if entry["held_out"] == held_out
    ]


def _coded(path: Path, at: int, entry: Mapping[str, Any]) -> tuple[str, str, bool, tuple[str, ...]]:
    areas, decision = tuple(entry["areas"]), entry.get("decision", "yes")
    if decision not in ("yes", "no") or not set(areas) <= set(focus_areas()):
        raise DataFileError(
            path,
            f"entry {at + 1}",
            "its decision or an area is unknown",
            "Write yes or no, and ids of focus_areas.yml.",
        )
    return entry["title"], entry["text"], decision == "yes", areas
