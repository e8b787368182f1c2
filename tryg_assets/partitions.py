"""The one partitions definition: a municipality (or, with a list of sites of one's own, a site)."""

from __future__ import annotations

import dagster as dg

from tryg_assets.domain.sites import Site, live_sites, read_sites, sample_sites
from tryg_assets.settings import Settings, load_settings


def sites_of(settings: Settings) -> dict[str, Site]:
    """Return the sites that the settings say are read, by slug."""
    if settings.source == "live":
        return live_sites()
    if settings.source == "sites":
        assert settings.sites_file is not None
        return read_sites(settings.sites_file)
    return sample_sites(settings.sample_address or f"127.0.0.1:{settings.sample_port}")


municipalities = dg.StaticPartitionsDefinition(sorted(sites_of(load_settings())))
