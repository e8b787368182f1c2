"""The engine that asks a language model: prices, ledger, privacy, and what is asked."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tryg_assets.clock import Clock, system_clock
from tryg_assets.settings import Settings

if TYPE_CHECKING:
    from tryg_assets.domain.coding.claude.engine import Claude
    from tryg_assets.domain.coding.claude.limits import Limits


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
    from tryg_assets.domain.coding.claude.ledger import Ledger
    from tryg_assets.domain.coding.claude.limits import Limits
    from tryg_assets.domain.coding.claude.live import Live, Tally
    from tryg_assets.domain.coding.claude.prices import Prices
    from tryg_assets.domain.coding.claude.questions import Model
    from tryg_assets.domain.coding.claude.server import Server
    from tryg_assets.domain.coding.claude.tasks import tasks
    from tryg_assets.state import open_state

    server = Server.of(
        settings.api_base_url, settings.api_key.get_secret_value() if settings.api_key else None
    )
    prices, limits, tally = Prices.load(), limits or Limits.load(), Tally()
    model = Model(settings.model, prices.of(settings.model).thinking_off)
    owner = uuid.uuid4().hex
    state = open_state(settings.state)
    ledger = Ledger(
        state,
        clock,
        run_cap=settings.budget_run_usd,
        month_cap=settings.budget_month_usd,
        run_id=settings.run_id or run_id or owner,
        prices=prices,
    )
    decisions = Decisions(state, clock, ledger, owner=owner, lease_seconds=limits.lease_seconds)
    return Claude(
        tasks(),
        model,
        decisions,
        Live(server, decisions, limits, tally),
        Batches(server, decisions, limits, tally),
        limits,
    )
