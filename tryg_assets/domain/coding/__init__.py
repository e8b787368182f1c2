"""Engines that code pages: one interface, and the engines by id."""

from __future__ import annotations

from tryg_assets.domain.coding.interface import Coder
from tryg_assets.errors import ConfigurationError


def coder(engine: str) -> Coder:
    """Return the engine with this id.

    Raises:
        ConfigurationError: no engine has it.
    """
    if engine == "offline-rules":
        from tryg_assets.domain.coding.offline_rules import OfflineRules

        return OfflineRules()
    raise ConfigurationError(f"Engine '{engine}' is unknown. Known engines: offline-rules.")
