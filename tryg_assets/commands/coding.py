"""Commands about coding: try an engine on files of one's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tryg_assets.commands.console import out, plain, settings_with
from tryg_assets.commands.money import say_caps


def code(
    files: Annotated[list[Path], typer.Argument(help="HTML, PDF or text files.")],
    engine: Annotated[str | None, typer.Option("--engine", help="Engine that codes.")] = None,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Code local files: verdict, decision, evidence, focus areas, initiatives and actors."""
    if format not in ("text", "json"):
        raise typer.BadParameter(f"'{format}' is neither text nor json", param_hint="--format")
    settings = settings_with(engine=engine)
    from tryg_assets.domain.coding.files import code_file, describe

    if settings.engine == "claude":
        say_caps(settings)
    results = [code_file(path, settings.engine) for path in files]
    if format == "json":
        sys.stdout.write(json.dumps(results, ensure_ascii=False, indent=2, default=str) + "\n")
        return
    for result in results:
        out.print(plain(describe(result)), highlight=False)
