"""The lake as a Dagster resource and as the one IO manager."""

from __future__ import annotations

import dagster as dg
import polars as pl

from tryg_assets.contracts import contract
from tryg_assets.settings import load_settings
from tryg_assets.storage import Lake


def _lake() -> Lake:
    settings = load_settings()
    return Lake(settings.lake, settings.engine)


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Gives checks and jobs their own slice of the lake."""

    @property
    def lake(self) -> Lake:
        """The lake of this TRYG_HOME and engine."""
        return _lake()


class LakeIOManager(dg.ConfigurableIOManager):
    """Stores an asset as the Parquet file its key names, after its contract has been checked."""

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Write one table or one municipality's part of it."""
        table = context.asset_key.path[-1]
        path = _lake().write(table, obj, context.partition_key if context.has_partition_key else None)
        context.add_output_metadata(
            {"dagster/row_count": obj.height, "path": dg.MetadataValue.path(str(path))}
        )

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """Read what a consumer needs: one municipality's part, or all parts there are.

        Municipalities that were never read are simply not in the result; the coverage check names them.
        """
        table = context.asset_key.path[-1]
        if contract(table).partitioned and not context.has_partition_key:
            return _lake().scan(table).collect()
        return _lake().read(table, context.partition_key if context.has_partition_key else None)
