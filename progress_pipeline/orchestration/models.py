"""The SQL models as assets: one step builds what is selected, in one transaction."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import duckdb

from progress_pipeline.orchestration.describing import PREVIEW_ROWS, as_table, asset_key, model_specs
from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.warehouse.building import Built, build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.deciding import SMALL_ROWS
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.reading import column_types, first_rows
from progress_pipeline.warehouse.standing import count_rows

COUNTED = {
    "marts.fct_progress": "intermediate.int_registrations_merged",
    "marts.fct_completions": "intermediate.int_completions_identified",
}
"""Views that an operator looks at first, by the table that has a row for each of theirs."""


def model_assets(models: Sequence[Model], *, built_elsewhere: frozenset[str]) -> dg.AssetsDefinition:
    """Make the step that builds the models.

    Args:
        models: All models, each after those it reads.
        built_elsewhere: Names of models that another step builds.
    """
    specs = [spec for name, spec in model_specs(tuple(models)).items() if name not in built_elsewhere]

    @dg.multi_asset(name="models", specs=specs, can_subset=True)
    def build_models(context: dg.AssetExecutionContext, run_context: RunContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        """Bring the selected models up to date with raw."""
        selected = frozenset(".".join(key.path) for key in context.selected_asset_keys)
        with run_context.turn() as settings, connect(settings.warehouse_path) as connection:
            built = build(connection, models, only=selected, small_rows=SMALL_ROWS)
            described = built_metadata(connection, built, models)
            for name, metadata in described.items():
                yield dg.MaterializeResult(asset_key=asset_key(name), metadata=metadata)

    return build_models


def built_metadata(
    connection: duckdb.DuckDBPyConnection, built: Sequence[Built], models: Sequence[Model]
) -> dict[str, dict[str, Any]]:
    """Say by model what a build did to it, and what it is now."""
    by_name = {model.name: model for model in models}
    types = column_types(connection)
    # A view would be computed for this alone, which takes a second where completions are millions.
    counts = {each.model: each.row_count for each in built if by_name[each.model].materialized != "view"}
    facts = {each.model: COUNTED[each.model] for each in built if each.model in COUNTED}
    sizes = count_rows(connection, facts.values())
    counts |= {name: sizes[table] for name, table in facts.items()}
    described = {}
    for each in built:
        # What the columns mean stands in the definition, where the UI looks for it; said again by every run it would
        # be a quarter of all that a run writes into its history.
        columns = [dg.TableColumn(name, kind) for name, kind in types[each.model].items()]
        metadata = {
            "dagster/column_schema": dg.TableSchema(columns),
            "changed_rows": each.changed_rows,
            "seconds": round(each.seconds, 3),
            "how": each.how,
        }
        if each.model in counts:
            metadata["dagster/row_count"] = counts[each.model]
            if by_name[each.model].schema != "intermediate":
                metadata["preview"] = as_table(first_rows(connection, each.model, PREVIEW_ROWS))
        described[each.model] = metadata
    return described
