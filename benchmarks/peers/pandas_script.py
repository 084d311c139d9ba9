"""What somebody would write in an hour: httpx, pandas, drop duplicates, DuckDB."""

import sys

import duckdb
import httpx
import pandas as pd

url, page, count, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
frames = []
with httpx.Client(trust_env=False) as client:
    for start in range(0, count, page):
        rows = client.post(url, json={"start": start, "number": page}).json()["rows"]
        frames.append(pd.DataFrame(rows))
records = pd.concat(frames).drop_duplicates(subset=["transactionId"])
with duckdb.connect(f"{out}/pandas.duckdb") as connection:
    connection.execute("create table records as select * from records")
    assert connection.execute("select count(*) from records").fetchall() == [(count,)]
