"""The ledger: money is reserved before a request is sent and settled when its answer is there.

A request is *open* between the two. An open one counts at its worst case, also when the process that sent it is dead: whether
it was charged is for a person (or for the answer found later) to decide, and until then a cap must not forget it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import sqlalchemy as sa

from tryg_assets.clock import Clock, system_clock
from tryg_assets.domain.coding.claude.prices import KINDS, Prices, Usage
from tryg_assets.errors import BudgetReached, TrygError
from tryg_assets.settings import Settings, ensure_writable
from tryg_assets.state import locked, open_state, spend

_PICO = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Planned:
    """A request about to be sent: ``worst_case`` is the most tokens it can be charged for."""

    model: str
    worst_case: Usage
    batch: bool
    task: str
    municipality: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """An open request: sent or about to be, and not known to be charged or not. ``usd`` is its worst case."""

    id: str
    run_id: str
    task: str
    municipality: str
    model: str
    batch: bool
    usd: Decimal
    reserved_at: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Money in US dollars: what was charged, and the worst case of open requests."""

    settled: Decimal
    open: Decimal

    @property
    def counted(self) -> Decimal:
        """What a cap counts."""
        return self.settled + self.open


class Ledger:
    """Spend in the state database, under a cap per run and one per month (UTC). ``None`` is no cap.

    A month's spend is that of the requests reserved in it, also when their answers come later.
    """

    def __init__(
        self,
        engine: sa.Engine,
        clock: Clock,
        *,
        run_cap: Decimal | None,
        month_cap: Decimal | None,
        run_id: str,
        prices: Prices | None = None,
    ) -> None:
        self.engine, self.clock, self.run_id = engine, clock, run_id
        self.run_cap, self.month_cap = run_cap, month_cap
        self.prices = prices or Prices.load()

    def reserve(self, model: str, worst_case: Usage, *, batch: bool, task: str, municipality: str) -> str:
        """Reserve the worst case of one request; returns the id of the reservation.

        Raises:
            UnknownPrice: the model has no price.
            BudgetReached: a cap would be passed; nothing is reserved.
        """
        return self.reserve_all([Planned(model, worst_case, batch, task, municipality)])[0]

    def reserve_all(self, planned: Sequence[Planned], connection: sa.Connection | None = None) -> list[str]:
        """Reserve many requests in one transaction (the caller's, if given), all or none; returns their ids in order.

        Raises:
            UnknownPrice: a model has no price.
            BudgetReached: a cap would be passed; nothing is reserved.
        """
        amounts = [_pico(self.prices.cost(one.model, one.worst_case, batch=one.batch)) for one in planned]
        now = self.clock()
        month = f"{now:%Y-%m}"
        ids = [uuid.uuid4().hex for _ in planned]
        rows = [
            {
                "reservation_id": id,
                "run_id": self.run_id,
                "month": month,
                "task": one.task,
                "municipality": one.municipality,
                "model": one.model,
                "batch": one.batch,
                "status": "open",
                "counted_pico_usd": amount,
                "reserved_at": now.isoformat(),
                **_tokens(one.worst_case),
            }
            for id, one, amount in zip(ids, planned, amounts, strict=True)
        ]
        with locked(self.engine, spend, connection) as held:
            self._refuse_beyond_cap(held, month, sum(amounts))
            if rows:
                held.execute(spend.insert(), rows)
        return ids

    def settle(
        self,
        reservation_id: str,
        usage: Usage | None,
        request_key: str,
        connection: sa.Connection | None = None,
    ) -> Decimal:
        """Record what a request really used; returns its cost in US dollars. Doing so twice changes nothing.

        An answer that does not say what it used (``None``) leaves the request open at its worst case, unless even that costs nothing.
        ``request_key`` names the answer it paid for. What a person decided about a request (released, or charged in full) gives
        way to what its answer says.

        Raises:
            TrygError: there is no such reservation, or it was settled for another answer.
        """
        with locked(self.engine, spend, connection) as held:
            row = self._row(held, reservation_id)
            if row.status == "settled" and row.request_key is not None:
                if row.request_key != request_key:
                    raise TrygError(
                        f"Reservation {reservation_id} was settled for {row.request_key}, not {request_key}."
                    )
                return _usd(row.counted_pico_usd)
            if usage is None and row.counted_pico_usd:
                return Decimal()
            used = usage or Usage()
            cost = _pico(self.prices.cost(row.model, used, batch=row.batch))
            self._decide(
                held,
                reservation_id,
                status="settled",
                counted_pico_usd=cost,
                request_key=request_key,
                **_tokens(used),
            )
        return _usd(cost)

    def settle_at_worst(self, reservation_id: str) -> Decimal:
        """Count a request whose answer is not known as charged in full, also a released one; returns US dollars.

        A settled one stays as it is.

        Raises:
            TrygError: there is no such reservation.
        """
        with locked(self.engine, spend) as held:
            row = self._row(held, reservation_id)
            if row.status == "settled":
                return _usd(row.counted_pico_usd)
            worst_case = Usage(*(getattr(row, f"{kind}_tokens") for kind in KINDS))
            cost = _pico(self.prices.cost(row.model, worst_case, batch=row.batch))
            self._decide(held, reservation_id, status="settled", counted_pico_usd=cost)
        return _usd(cost)

    def release(self, reservation_id: str, connection: sa.Connection | None = None) -> None:
        """Give back the money of a request that was certainly not charged; its tokens stay noted. A settled one stays settled.

        Raises:
            TrygError: there is no such reservation.
        """
        with locked(self.engine, spend, connection) as held:
            if self._row(held, reservation_id).status == "open":
                self._decide(held, reservation_id, status="released", counted_pico_usd=0)

    def open_reservations(self) -> list[Reservation]:
        """Return every open request, of this and of other runs, oldest first."""
        query = (
            sa.select(spend)
            .where(spend.c.status == "open")
            .order_by(spend.c.reserved_at, spend.c.reservation_id)
        )
        with self.engine.connect() as connection:
            return [
                Reservation(
                    row.reservation_id,
                    row.run_id,
                    row.task,
                    row.municipality,
                    row.model,
                    row.batch,
                    _usd(row.counted_pico_usd),
                    row.reserved_at,
                )
                for row in connection.execute(query)
            ]

    def called(self, name: str) -> list[str]:
        """Return the reservation with this id, or every open one of the run with this id.

        Raises:
            TrygError: there is neither.
        """
        of_run = sa.and_(spend.c.run_id == name, spend.c.status == "open")
        query = sa.select(spend.c.reservation_id).where(sa.or_(spend.c.reservation_id == name, of_run))
        with self.engine.connect() as connection:
            found = list(connection.execute(query.order_by(spend.c.reservation_id)).scalars())
        if not found:
            raise TrygError(
                f"There is no reservation {name}, and no run with open ones. See them with `tryg spend`."
            )
        return found

    def totals(self, *, run_id: str | None = None, month: str | None = None) -> Totals:
        """Return the spend of a run, of a month ("2026-11"), or of all time."""
        query = sa.select(spend.c.status, sa.func.sum(spend.c.counted_pico_usd)).group_by(spend.c.status)
        if run_id is not None:
            query = query.where(spend.c.run_id == run_id)
        if month is not None:
            query = query.where(spend.c.month == month)
        with self.engine.connect() as connection:
            found = {status: _usd(amount) for status, amount in connection.execute(query)}
        return Totals(found.get("settled", Decimal()), found.get("open", Decimal()))

    def rows(self) -> list[dict[str, object]]:
        """Return rows of the table ``spend``, sorted by key; requests that were released are in none."""
        keys = (spend.c.municipality, spend.c.model, spend.c.task, spend.c.month)
        settled, still_open = spend.c.status == "settled", spend.c.status == "open"

        def total(name: str, of: sa.ColumnElement[int], where: sa.ColumnElement[bool]) -> sa.Label[int]:
            # PostgreSQL sums large integers as numeric, which would come back as Decimal.
            summed = sa.func.coalesce(sa.func.sum(sa.case((where, of), else_=0)), 0)
            return sa.cast(summed, sa.BigInteger).label(name)

        one = sa.literal(1)
        query = (
            sa.select(
                *keys,
                total("requests", one, settled),
                total("batched", one, settled & spend.c.batch),
                total("input_tokens", spend.c.input_tokens, settled),
                total("output_tokens", spend.c.output_tokens, settled),
                total("cache_read_tokens", spend.c.cache_read_tokens, settled),
                total(
                    "cache_write_tokens",
                    spend.c.cache_write_5m_tokens + spend.c.cache_write_1h_tokens,
                    settled,
                ),
                total("cost_usd", spend.c.counted_pico_usd, settled),
                total("open_requests", one, still_open),
                total("open_usd", spend.c.counted_pico_usd, still_open),
            )
            .where(spend.c.status != "released")
            .group_by(*keys)
            .order_by(*keys)
        )
        with self.engine.connect() as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        return [row | {name: float(_usd(row[name])) for name in ("cost_usd", "open_usd")} for row in found]

    def latest_run(self) -> str | None:
        """Return the run that reserved last, or ``None`` if nothing was ever reserved."""
        query = sa.select(spend.c.run_id).order_by(spend.c.reserved_at.desc(), spend.c.run_id).limit(1)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def _refuse_beyond_cap(self, connection: sa.Connection, month: str, wanted: int) -> None:
        for name, cap, column, value in (
            ("run", self.run_cap, spend.c.run_id, self.run_id),
            ("month", self.month_cap, spend.c.month, month),
        ):
            if cap is None:
                continue
            query = sa.select(sa.func.sum(spend.c.counted_pico_usd)).where(column == value)
            counted = int(connection.execute(query).scalar() or 0)
            if counted + wanted > cap * _PICO:
                raise BudgetReached(
                    f"The cap of this {name} ({value}) is {cap} USD; {_usd(counted):.6f} USD are spent or reserved and the next "
                    f"request may cost {_usd(wanted):.6f} USD. It was not sent; all answers so far are kept and the next run goes "
                    f"on from them. See what is open with `tryg spend`, or raise TRYG_BUDGET_{name.upper()}_USD."
                )

    @staticmethod
    def _row(connection: sa.Connection, reservation_id: str) -> sa.Row[tuple[object, ...]]:
        row = connection.execute(sa.select(spend).where(spend.c.reservation_id == reservation_id)).first()
        if row is None:
            raise TrygError(f"There is no reservation {reservation_id}. See the open ones with `tryg spend`.")
        return row

    def _decide(self, connection: sa.Connection, reservation_id: str, **values: object) -> None:
        decided = spend.update().where(spend.c.reservation_id == reservation_id)
        connection.execute(decided.values(decided_at=self.clock().isoformat(), **values))


def open_ledger(settings: Settings, run_id: str, clock: Clock = system_clock) -> Ledger:
    """Return the ledger in the state database of the settings, with their caps.

    Raises:
        ConfigurationError: the state database cannot be opened.
    """
    if settings.state_url is None:
        ensure_writable(settings.home)
    return Ledger(
        open_state(settings.state),
        clock,
        run_cap=settings.budget_run_usd,
        month_cap=settings.budget_month_usd,
        run_id=run_id,
    )


def _tokens(usage: Usage) -> dict[str, int]:
    return {f"{kind}_tokens": count for kind, count in zip(KINDS, usage.counts(), strict=True)}


def _pico(usd: Decimal) -> int:
    return int((usd * _PICO).to_integral_value(rounding=ROUND_CEILING))


def _usd(pico: int) -> Decimal:
    return Decimal(int(pico)) / _PICO
