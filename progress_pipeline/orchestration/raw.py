"""The raw tables as assets: one step lands what was told, then asks for what is not covered.

Landing comes first and needs no network, so a vendor that is down costs nothing of what it pushed. A vendor that cannot
be asked for a day does not fail the step: what it cost is in the tables, and the checks judge it. A token that is
refused does.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from progress_pipeline.errors import UsageError
from progress_pipeline.ingest.loading import Loader, RunFacts
from progress_pipeline.ingest.raw_tables import RAW_TABLES
from progress_pipeline.ingest.vendor_api import load_batches
from progress_pipeline.ingest.webhook import load_landed
from progress_pipeline.orchestration.asking import Vendor, open_vendor
from progress_pipeline.orchestration.describing import PREVIEW_ROWS, as_table, asset_key, raw_spec
from progress_pipeline.orchestration.resources import RunContext, parse_instant, start_of_coverage
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.locking import writing
from progress_pipeline.warehouse.reading import first_rows, row_counts
