"""Where the project's own files are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
PROJECT = _PACKAGE.parent if (_PACKAGE.parent / "data" / "reference").is_dir() else _PACKAGE / "_project"

DATA = PROJECT / "data"
REFERENCE = DATA / "reference"
CODEBOOK = DATA / "codebook"
GOLD = DATA / "gold"
REVIEW = DATA / "review"
SAMPLE_WEB = DATA / "sample_web"
MEASURED = DATA / "measured.yml"
SQL = PROJECT / "dbt_like_sql"
DAGSTER_YAML = PROJECT / "dagster.yaml"
