"""The DuckDB file: opening it, building the SQL models, publishing. The only room that writes SQL to DuckDB."""
