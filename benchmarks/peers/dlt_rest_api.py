"""dlt's own REST source, as its documentation has it, with Parquet files between it and DuckDB."""

import sys

import dlt
from dlt.sources.rest_api import rest_api_source

url, page, count, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
source = rest_api_source(
    {
        "client": {
            "base_url": url,
            "paginator": {
                "type": "offset",
                "limit": page,
                "limit_param": "number",
                "offset_param": "start",
                "total_path": "count",
            },
        },
        "resources": [
            {
                "name": "records",
                "primary_key": "transactionId",
                "write_disposition": "merge",
                "endpoint": {"path": "", "data_selector": "rows"},
            }
        ],
    }
)
pipeline = dlt.pipeline(
    "peer", pipelines_dir=f"{out}/dlt", destination=dlt.destinations.duckdb(f"{out}/dlt.duckdb"), dataset_name="peer"
)
pipeline.run(source, loader_file_format="parquet")
with pipeline.sql_client() as client:
    assert client.execute_sql("select count(*) from records") == [(count,)]
