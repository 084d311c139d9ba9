"""The limit, second half: DuckDB reads the same pages from disk into a table."""

import sys

import duckdb

KEYS = ["transactionId", "firstName", "lastName", "email", "memberIdentifier", "activityId", "activityTitle"]
KEYS += ["registration", "dateStarted", "progress", "dateCompleted", "completionCode"]

count, out, pages = int(sys.argv[3]), sys.argv[4], sys.argv[5]
fields = ", ".join(f'"{key}" varchar' for key in KEYS)
with duckdb.connect(f"{out}/limit.duckdb") as connection:
    statement = f"""
        create table records as
        select unnest(rows, recursive := true)
        from read_json($1, columns = {{count: 'bigint', rows: 'struct({fields})[]'}}, maximum_object_size = 100000000)
    """  # noqa: S608 - the names are our own
    connection.execute(statement, [f"{pages}/*.json"])
    assert connection.execute("select count(*) from records").fetchall() == [(count,)]
