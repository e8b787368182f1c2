"""What all commands share: where they print, how they read settings, the option for TRYG_HOME."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from tryg_assets.settings import Settings, load_settings

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of everything written (else TRYG_HOME, else .tryg).")
]


def plain(text: object) -> str:
    """Return text that rich prints as it stands."""
    return escape(str(text))


def settings_with(**changes: Any) -> Settings:
    """Read the settings, with those given on the command line in place of the environment's.

    Raises:
        ConfigurationError: a setting is unknown or impossible.
    """
    for name, value in changes.items():
        if value is not None:
            os.environ[f"TRYG_{name.upper()}"] = str(value)
    return load_settings()
