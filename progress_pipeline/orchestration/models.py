"""The SQL models as assets: one step builds what is selected, in one transaction."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import duckdb

from progress_pipeline.orchestration.describing import PREVIEW_ROWS, as_table, asset_key, column_lineage, model_spec
from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.warehouse.building import Built, build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.locking import writing
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.reading import column_types, first_rows, row_count


def model_assets(models: Sequence[Model], *, built_elsewhere: frozenset[str]) -> dg.AssetsDefinition:
    """Make the step that builds the models.

    Args:
        models: All models, each after those it reads.
        built_elsewhere: Names of models that another step builds.
    """
    mine = [model for model in models if model.name not in built_elsewhere]
    by_name = {model.name: model for model in mine}

    @dg.multi_asset(name="models", specs=[model_spec(model) for model in mine], can_subset=True)
    def build_models(context: dg.AssetExecutionContext, run_context: RunContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        """Bring the selected models up to date with raw."""
        path = run_context.settings().warehouse_path
        selected = frozenset(".".join(key.path) for key in context.selected_asset_keys)
        with writing(path), connect(path) as connection:
            built = build(connection, models, only=selected)
            for each in built:
                metadata = built_metadata(connection, by_name[each.model], each, models)
                yield dg.MaterializeResult(asset_key=asset_key(each.model), metadata=metadata)

    return build_models


def built_metadata(
    connection: duckdb.DuckDBPyConnection, model: Model, built: Built, models: Sequence[Model]
) -> dict[str, Any]:
    """Say what a build did to a model, and what the model is now."""
    described = {column.name: column.description for column in model.columns}
    columns = [
        dg.TableColumn(name, kind, described.get(name)) for name, kind in column_types(connection, model.name).items()
    ]
    metadata = {
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/column_lineage": column_lineage(model, models),
        "changed_rows": built.changed_rows,
        "seconds": round(built.seconds, 3),
        "how": built.how,
    }
    if model.materialized != "view":
        # A view would be computed for this alone; the published file says how many rows each has.
        metadata["dagster/row_count"] = row_count(connection, model.name)
        metadata["preview"] = as_table(first_rows(connection, model.name, PREVIEW_ROWS))
    return metadata
