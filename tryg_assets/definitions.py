"""The table of contents: five stages from raw crawl to aggregates, their checks, jobs, schedules and sensor.

Importing this module reads the project's own files and the settings; it needs no key and no network.
"""

from __future__ import annotations

import dagster as dg

from tryg_assets import automation
from tryg_assets.assets import (
    actor_entities,
    aggregates,
    agreement,
    classified_initiatives,
    filtered_pages,
    quality_page,
    raw_crawl,
    report,
    spend,
)
from tryg_assets.checks import actor_entities as actor_checks
from tryg_assets.checks import aggregates as aggregate_checks
from tryg_assets.checks import agreement as agreement_checks
from tryg_assets.checks import classified_initiatives as initiative_checks
from tryg_assets.checks import filtered_pages as filter_checks
from tryg_assets.checks import raw_crawl as crawl_checks
from tryg_assets.resources import default_resources

STAGES = [
    raw_crawl, filtered_pages, classified_initiatives, spend, actor_entities, agreement, quality_page, aggregates, report,
]  # fmt: skip
CHECKS = [crawl_checks, filter_checks, initiative_checks, actor_checks, agreement_checks, aggregate_checks]

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(STAGES),
    asset_checks=[check for module in CHECKS for check in module.checks],
    jobs=automation.jobs,
    schedules=automation.schedules,
    sensors=automation.sensors,
    resources=default_resources(),
)
