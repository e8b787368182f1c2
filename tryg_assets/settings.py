"""All settings, from environment variables (``TRYG_...``) and ``.env``, typed and checked."""

from __future__ import annotations

import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tryg_assets.errors import ConfigurationError

Source = Literal["sample", "live", "sites"]


class Settings(BaseSettings):
    """What a person may set. Each field is the variable ``TRYG_<FIELD>`` in upper case."""

    model_config = SettingsConfigDict(env_prefix="TRYG_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path(".tryg"), description="Folder of everything the system writes.")
    source: Source = Field(
        "sample", description="What is read: the sample Denmark, the live web, or a list of sites."
    )
    sites_file: Path | None = Field(None, description="The list of sites when source is 'sites'.")
    sample_address: str | None = Field(
        None, pattern=r"^[^:/\s]+:\d{1,5}$", description="host:port of a sample web that already runs."
    )
    sample_port: int = Field(
        8899, ge=0, le=65535, description="Port for the sample web (0 picks a free one)."
    )
    engine: Literal["offline-rules", "claude"] = Field(
        "offline-rules", description="Engine that codes pages."
    )
    contact: str | None = Field(
        None, description="Mail or web address in the user agent; needed for the live web."
    )
    seconds_between_requests: float | None = Field(
        None,
        ge=0,
        le=600,
        description="Pause between requests to a site (default 1; 0 where an address to connect to is given).",
    )
    night: str = Field(
        "22-06",
        pattern=r"^([01]?\d|2[0-3])-([01]?\d|2[0-4])$",
        description="Hours in which the live web is read, Danish local time; 0-24 is any time. Other sources are read at any time.",
    )
    max_pages_per_site: int = Field(
        20_000, ge=1, description="Requests to one site in one crawl at the most."
    )
    workers: int = Field(2, ge=1, le=32, description="Municipality runs side by side.")
    review_sample_size: int = Field(600, ge=1, description="Pages drawn for blind review.")
    seed: int = Field(20260421, description="Seed of every random draw.")
    model: str = Field("claude-haiku-5-5", description="Model of the engine claude; one of data/prices.yml.")
    budget_run_usd: Decimal = Field(
        Decimal(5), ge=0, description="Most that one run may spend on models, in US dollars."
    )
    budget_month_usd: Decimal = Field(
        Decimal(50),
        ge=0,
        description="Most that all runs of a calendar month (UTC) may spend, in US dollars.",
    )
    # These two have their usual names too, as other programs read them.
    api_key: SecretStr | None = Field(
        None,
        exclude=True,
        validation_alias=AliasChoices("TRYG_API_KEY", "ANTHROPIC_API_KEY"),
        description="Key of the model's server; also read from ANTHROPIC_API_KEY, and nowhere else.",
    )
    api_base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("TRYG_API_BASE_URL", "ANTHROPIC_BASE_URL"),
        description="Address of a server that speaks the Messages API; also read from ANTHROPIC_BASE_URL.",
    )
    run_id: str | None = Field(
        None, description="Name of the run that a budget is held against; `tryg run` sets it."
    )
    state_url: str | None = Field(
        None,
        description="Address of the state database (SQLite or PostgreSQL, as an SQLAlchemy URL); default state.db in TRYG_HOME.",
    )

    @property
    def lake(self) -> Path:
        """Folder of the Parquet tables."""
        return self.home / "lake"

    @property
    def archive(self) -> Path:
        """Folder of the WARC files."""
        return self.home / "archive"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file with tables and marts."""
        return self.home / "warehouse.duckdb"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.home / "report"

    @property
    def review(self) -> Path:
        """Folder of the files that go out to reviewers and come back."""
        return self.home / "review"

    @property
    def state(self) -> str:
        """Address of the state database: model decisions, spend, human codings."""
        return self.state_url or f"sqlite:///{(self.home / 'state.db').as_posix()}"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own folder."""
        return self.home / "dagster"

    def pause(self, *, own: bool) -> float:
        """Seconds between two requests to a site: none to the user's ``own`` machine unless set, one to anybody else's."""
        if self.seconds_between_requests is not None:
            return self.seconds_between_requests
        return 0.0 if own else 1.0


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: a ``TRYG_`` variable is unknown or its value impossible; the message names it.
    """
    known = {f"TRYG_{name.upper()}": field.description for name, field in Settings.model_fields.items()}
    stated = {*os.environ, *dotenv_values(".env")}
    unknown = sorted(name for name in stated if name.startswith("TRYG_") and name not in known)
    if unknown:
        raise ConfigurationError(f"Unknown setting {', '.join(unknown)}. Known settings: {', '.join(known)}.")
    try:
        settings = Settings()
    except ValidationError as problem:
        first = problem.errors()[0]
        name = f"TRYG_{str(first['loc'][0]).upper()}"
        raise ConfigurationError(
            f"{name}={first.get('input')!r}: {first['msg']}. It means: {known.get(name)}"
        ) from None
    if settings.source == "live" and not settings.contact:
        raise ConfigurationError(
            "The live web is only read with a contact address in the user agent: set TRYG_CONTACT to a mail or web address."
        )
    if settings.source == "sites" and settings.sites_file is None:
        raise ConfigurationError("TRYG_SOURCE=sites needs TRYG_SITES_FILE (or: tryg run --sites FILE).")
    return settings


def ensure_writable(home: Path) -> None:
    """Create TRYG_HOME and prove that it can be written.

    Raises:
        ConfigurationError: it cannot.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as problem:
        raise ConfigurationError(
            f"TRYG_HOME={home} cannot be written ({problem.strerror}). Set TRYG_HOME to a folder you own, or mend its rights."
        ) from problem
