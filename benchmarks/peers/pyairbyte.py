"""PyAirbyte with a declarative source into its DuckDB cache."""

import os
import sys

os.environ["AIRBYTE_OFFLINE_MODE"] = "1"  # read when airbyte is imported

import airbyte as ab
from airbyte.caches import DuckDBCache

url, page, count, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
TEXTS = [
    "firstName",
    "lastName",
    "email",
    "memberIdentifier",
    "activityId",
    "activityTitle",
    "registration",
    "dateStarted",
    "dateCompleted",
    "completionCode",
]
option = {"type": "RequestOption", "inject_into": "request_parameter"}
stream = {
    "type": "DeclarativeStream",
    "name": "records",
    "primary_key": ["transactionId"],
    "retriever": {
        "type": "SimpleRetriever",
        "requester": {"type": "HttpRequester", "url_base": url, "path": "", "http_method": "GET"},
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": ["rows"]},
        },
        "paginator": {
            "type": "DefaultPaginator",
            "pagination_strategy": {"type": "OffsetIncrement", "page_size": page, "inject_on_first_request": True},
            "page_token_option": option | {"field_name": "start"},
            "page_size_option": option | {"field_name": "number"},
        },
    },
    "schema_loader": {
        "type": "InlineSchemaLoader",
        "schema": {
            "type": "object",
            "properties": {
                "transactionId": {"type": "integer"},
                "progress": {"type": ["null", "integer"]},
                **{name: {"type": ["null", "string"]} for name in TEXTS},
            },
        },
    },
}
manifest = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["records"]},
    "streams": [stream],
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
source = ab.get_source("source-records", config={}, source_manifest=manifest, streams="*")
read = source.read(cache=DuckDBCache(db_path=f"{out}/airbyte.duckdb"))
assert len(read["records"]) == count
