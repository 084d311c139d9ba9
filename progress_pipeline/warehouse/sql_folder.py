"""Where the SQL of the project stands: in the repository, or inside the installed package.

No SQL is read here; `models.py` and `checking.py` read it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent

SQL_FOLDER: Path = next(
    (folder for folder in (_PACKAGE / "dbt_like_sql", _PACKAGE.parent / "dbt_like_sql") if folder.is_dir()),
    _PACKAGE.parent / "dbt_like_sql",
)
"""The folder `dbt_like_sql`: one sub-folder per schema, `checks` and `prelude`."""

PRELUDE: Path = SQL_FOLDER / "prelude" / "duckdb.sql"
"""The few functions that DuckDB and Spark call differently, as DuckDB's temporary macros."""
