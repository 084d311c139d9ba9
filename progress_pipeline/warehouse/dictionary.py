"""The data dictionary: what every table and column means, as Markdown, from the models' own descriptions.

The text depends on the models alone (and, where a connection is given, on the types of what was built), so that the
committed `docs/dictionary.md` can be compared with it.
"""

from collections.abc import Iterable, Iterator

import duckdb

from progress_pipeline.warehouse.models import Column, Model, output_columns
from progress_pipeline.warehouse.standing import Columns, look

_OPENING = """\
# Data dictionary

Made from `dbt_like_sql/*/_models.yml`; the same texts are the comments of the tables in the published file.
All instants are UTC.
"""

_SCHEMAS = {
    "marts": "What analysts use; published.",
    "audit": "How far the copy is complete, and where the witnesses differ; published.",
    "intermediate": "Steps on the way, in the warehouse only.",
    "staging": "Raw records, typed, in the warehouse only.",
}


def dictionary(models: Iterable[Model], *, connection: duckdb.DuckDBPyConnection | None = None) -> str:
    """Write the dictionary.

    Args:
        models: All models, in any order.
        connection: To a warehouse in which they are built, for the types of their columns.
    """
    columns = look(connection).columns if connection is not None else {}
    by_name = {model.name: model for model in models}
    parts = [_OPENING]
    for schema, about in _SCHEMAS.items():
        names = sorted(name for name, model in by_name.items() if model.schema == schema)
        if names:
            parts.append(f"## {schema}\n\n{about}\n")
        parts.extend(_entry(by_name[name], columns.get(name, ())) for name in names)
    return "\n".join(parts)


def undescribed(models: Iterable[Model], *, connection: duckdb.DuckDBPyConnection | None = None) -> tuple[str, ...]:
    """Give the columns without a description, as `schema.table.column`.

    Args:
        models: Those to look at.
        connection: To a warehouse in which they are built; without it, columns behind a star cannot be seen.
    """
    columns = look(connection).columns if connection is not None else {}
    return tuple(
        f"{model.name}.{name}"
        for model in models
        for name in (dict(columns.get(model.name, ())) or output_columns(model) or ())
        if name not in {column.name for column in model.columns if column.description}
    )


def _entry(model: Model, built: Columns) -> str:
    reads = ", ".join(f"`{name}`" for name in model.depends_on)
    lines = [
        f"### {model.name}",
        "",
        f"**{_sentence(model.grain)}** {_sentence(model.description)}",
        "",
        f"Key: {', '.join(f'`{column}`' for column in model.key)}. {_made(model)} Reads {reads or 'nothing'}.",
        "",
        *_table(model, dict(built)),
        "",
    ]
    return "\n".join(lines)


def _made(model: Model) -> str:
    if model.materialized == "incremental":
        return f"A table, refreshed by {', '.join(f'`{column}`' for column in model.incremental_by)}."
    return "A view." if model.materialized == "view" else "A table."


def _table(model: Model, types: dict[str, str]) -> Iterator[str]:
    described = {column.name: column for column in model.columns}
    names = list(types) or list(described)
    yield "| column | type | meaning |" if types else "| column | meaning |"
    yield "| --- | --- | --- |" if types else "| --- | --- |"
    for name in names:
        meaning = _cell(described.get(name, Column(name, "")).description)
        yield f"| `{name}` | {_cell(types[name].lower())} | {meaning} |" if types else f"| `{name}` | {meaning} |"


def _cell(text: str) -> str:
    """Make text safe for a cell of a Markdown table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
