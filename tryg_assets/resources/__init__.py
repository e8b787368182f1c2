"""Thin resources: each builds one plain object of the domain."""

from __future__ import annotations

from tryg_assets.resources.corpus import Corpus
from tryg_assets.resources.lake import LakeIOManager, LakeResource


def default_resources() -> dict[str, object]:
    """Return the resources of a normal run, set up from the environment."""
    return {"corpus": Corpus(), "lake": LakeResource(), "io_manager": LakeIOManager()}


__all__ = ["Corpus", "LakeIOManager", "LakeResource", "default_resources"]
