"""The one Jinja environment of all pages we write: everything escaped, Danish numbers and dates."""

from __future__ import annotations

from pathlib import Path

import jinja2

from tryg_assets.domain.reporting import danish

_TEMPLATES = Path(__file__).with_name("templates")


def environment() -> jinja2.Environment:
    """Return the environment: a name that is not there is an error, and every value passes through autoescape."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": danish.number,
        "decimal": danish.decimal,
        "percent": danish.percent,
        "day": danish.day,
    }
    found.globals |= {"interval": danish.interval, "between": danish.between, "said": danish.said}
    return found
