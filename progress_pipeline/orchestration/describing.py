"""What an operator sees of a table in Dagster: its columns with descriptions, and its first rows."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import dagster as dg
from tabulate import tabulate

from progress_pipeline.ingest.raw_tables import RAW_TABLES, RawTable, sql_type
from progress_pipeline.warehouse.lineage import Source, trace_columns
from progress_pipeline.warehouse.models import Model

OWNER = "team:data"
PREVIEW_ROWS = 5
_WIDEST = 60


def asset_key(table: str) -> dg.AssetKey:
    """Give the asset of a table: `marts.fct_progress` is `marts/fct_progress`."""
    return dg.AssetKey(table.split("."))


def raw_spec(table: RawTable) -> dg.AssetSpec:
    """Describe a raw table as an asset."""
    columns = [
        dg.TableColumn(
            field.name,
            sql_type(field.type),
            (field.metadata or {}).get(b"description", b"").decode(),
            dg.TableColumnConstraints(nullable=field.nullable),
        )
        for field in table.schema
    ]
    return dg.AssetSpec(
        asset_key(f"raw.{table.name}"),
        description=table.description,
        group_name="raw",
        kinds={"dlt", "duckdb"},
        owners=[OWNER],
        metadata={"dagster/column_schema": dg.TableSchema(columns), "dagster/table_name": f"raw.{table.name}"},
    )


@cache
def model_specs(models: tuple[Model, ...]) -> Mapping[str, dg.AssetSpec]:
    """Describe the SQL models as assets, by name: what each is, what its columns mean, and where they come from."""
    raw = {f"raw.{table.name}": table.schema.names for table in RAW_TABLES}
    traced = trace_columns(models, raw)
    return {model.name: _model_spec(model, traced[model.name]) for model in models}


def _model_spec(model: Model, traced: Mapping[str, Sequence[Source]]) -> dg.AssetSpec:
    columns = [dg.TableColumn(column.name, description=column.description) for column in model.columns]
    lineage = {
        column: [dg.TableColumnDep(asset_key(source.table), source.column) for source in sources]
        for column, sources in traced.items()
    }
    return dg.AssetSpec(
        asset_key(model.name),
        deps=[asset_key(upstream) for upstream in model.depends_on],
        description=f"{model.grain} {model.description}".strip(),
        group_name=model.schema,
        kinds={"sql", "duckdb", "view" if model.materialized == "view" else "table"},
        owners=[OWNER],
        code_version=hashlib.sha256(model.sql.encode()).hexdigest()[:12],
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/column_lineage": dg.TableColumnLineage(lineage),
            "dagster/table_name": model.name,
            "materialized": model.materialized,
            "key": ", ".join(model.key),
            "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```"),
        },
    )


def as_table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Show rows as a Markdown table; text of the vendor's stays text, whatever it looks like."""
    if not rows:
        return dg.MetadataValue.md("*no rows*")
    cells = [[_plain(value) for value in row.values()] for row in rows]
    table = tabulate(cells, headers=list(rows[0]), tablefmt="pipe", disable_numparse=True)  # or 1e5 would be 100000
    return dg.MetadataValue.md(table)


def _plain(value: object) -> str:
    """Write a value for a Markdown cell, cut where it is long."""
    if value is None:
        return ""
    text = " ".join(str(value).split())
    text = text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#!":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped
