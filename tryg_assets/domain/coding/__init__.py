"""Engines that code pages: one interface, and the engines by id."""

from __future__ import annotations

from tryg_assets.domain.coding.interface import Coder
from tryg_assets.errors import ConfigurationError


def coder(engine: str, run_id: str = "") -> Coder:
    """Return the engine with this id; what it spends is held against the budget of ``run_id``.

    Raises:
        ConfigurationError: no engine has it, or what it needs is not set.
    """
    if engine == "offline-rules":
        from tryg_assets.domain.coding.offline_rules import OfflineRules

        return OfflineRules()
    if engine == "claude":
        from tryg_assets.domain.coding.claude import open_claude
        from tryg_assets.settings import load_settings

        return open_claude(load_settings(), run_id)
    raise ConfigurationError(f"Engine '{engine}' is unknown. Known engines: offline-rules, claude.")
