"""Which rows of a load are new, and how dlt is to write them.

dlt's own way of keeping a key from standing twice costs more than all rows of an ordinary day (docs/decisions/0006), so
rows are appended, and those whose key stands in the warehouse already are left out before dlt sees them.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from progress_pipeline.ingest.raw_tables import RawTable

if TYPE_CHECKING:
    import duckdb


def ready(connection: "duckdb.DuckDBPyConnection", table: RawTable, data: pa.Table) -> tuple[pa.Table, Any]:
    """Give the rows that a raw table is to get, and dlt's disposition: `append`, or a merge where rows are updated.

    Args:
        connection: To the warehouse.
        table: The raw table.
        data: Rows; a key that stands there already, or twice among them, counts once.
    """
    data = _as_schema(data, table.schema)
    keys = ", ".join(table.key)
    # The names are our own.
    known = _ask(connection, f"select {keys} from raw.{table.name} semi join given using ({keys})", given=data)  # noqa: S608
    twice = _ask(connection, f"select {keys} from given group by all having count(*) > 1", given=data)  # noqa: S608
    if not known.num_rows and not twice.num_rows:
        return data, "append"
    if table.is_updated:
        return data, {"disposition": "merge", "strategy": "upsert"}
    return _fresh(connection, table, data, known), "append"


def _fresh(connection: "duckdb.DuckDBPyConnection", table: RawTable, data: pa.Table, known: pa.Table) -> pa.Table:
    """Leave out the rows whose key is known, or came before; DuckDB is shown keys alone, since texts may be long."""
    keys = ", ".join(table.key)
    given = data.select(table.key).append_column("place", pa.array(np.arange(data.num_rows)))
    # The names are our own.
    fresh = f"select min(place) as place from given anti join known using ({keys}) group by {keys}"  # noqa: S608
    is_fresh = np.zeros(data.num_rows, dtype=np.bool_)
    is_fresh[_ask(connection, fresh, given=given, known=known)["place"].to_numpy()] = True
    return data.filter(pa.array(is_fresh))


def _ask(connection: "duckdb.DuckDBPyConnection", sql: str, **tables: pa.Table) -> pa.Table:
    """Ask the warehouse something about Arrow tables, by name."""
    for name, table in tables.items():
        connection.register(name, table)
    try:
        answer: pa.Table = connection.sql(sql).to_arrow_table()
    finally:
        for name in tables:
            connection.unregister(name)
    return answer


def _as_schema(data: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give the columns of a schema, with its types; a cast of many small pieces is not for nothing."""
    data = data.select(schema.names)
    if data.schema.types == schema.types:
        return pa.Table.from_arrays(data.columns, schema=schema)
    return data.cast(schema)
