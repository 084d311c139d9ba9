"""Writes the data dictionary: `make dictionary` keeps `docs/dictionary.md` by it.

The models are built over empty raw tables, so that their columns have types.
"""

import sys
import tempfile
from pathlib import Path

from progress_pipeline.ingest.raw_tables import RAW_TABLES, ddl
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.dictionary import dictionary
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER


def write_dictionary() -> str:
    """Give the dictionary of all models, as Markdown."""
    models = read_models(SQL_FOLDER)
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "empty.duckdb") as connection:
        connection.execute("create schema raw")
        for table in RAW_TABLES:
            connection.execute(ddl(table))
        build(connection, models)
        return dictionary(models, connection=connection)


if __name__ == "__main__":
    sys.stdout.write(write_dictionary())
