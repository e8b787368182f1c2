"""The engine that asks a language model: prices, ledger, privacy, and what is asked."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tryg_assets.clock import Clock, system_clock
from tryg_assets.domain.coding.claude.server import Server
from tryg_assets.settings import Settings

if TYPE_CHECKING:
    from tryg_assets.domain.coding.claude.engine import Claude
    from tryg_assets.domain.coding.claude.limits import Limits


def server_of(settings: Settings) -> Server:
    """Return the server of the settings.

    Raises:
        ConfigurationError: its address is none.
    """
    return Server.of(settings.api_base_url, settings.api_key.get_secret_value() if settings.api_key else None)


def open_claude(
    settings: Settings, run_id: str = "", clock: Clock = system_clock, limits: Limits | None = None
) -> Claude:
    """Return the engine ``claude`` as the settings say, on the state database of TRYG_HOME.

    The cap of a run is held against ``TRYG_RUN_ID``, else ``run_id``, else this engine alone.

    Raises:
        ConfigurationError: the server's address is none, or the state database cannot be opened.
        UnknownPrice: the model has no price in ``data/prices.yml``.
    """
    # The SDK takes half a second to import; a run of another engine does not need it.
    from tryg_assets.domain.coding.claude.batches import Batches
    from tryg_assets.domain.coding.claude.decisions import Decisions
    from tryg_assets.domain.coding.claude.engine import Claude
    from tryg_assets.domain.coding.claude.ledger import open_ledger
    from tryg_assets.domain.coding.claude.limits import Limits
    from tryg_assets.domain.coding.claude.live import Live, Tally
    from tryg_assets.domain.coding.claude.questions import Model
    from tryg_assets.domain.coding.claude.tasks import tasks

    server = server_of(settings)
    owner = uuid.uuid4().hex
    limits, tally = limits or Limits.load(), Tally()
    ledger = open_ledger(settings, settings.run_id or run_id or owner, clock)
    model = Model(settings.model, ledger.prices.of(settings.model).thinking_off, server.name)
    decisions = Decisions(ledger.engine, clock, ledger, owner=owner, lease_seconds=limits.lease_seconds)
    return Claude(
        tasks(),
        model,
        decisions,
        Live(server, decisions, limits, tally),
        Batches(server, decisions, limits, tally),
        limits,
    )
