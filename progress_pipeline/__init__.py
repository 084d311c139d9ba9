"""One complete, audited copy of learning progress in DuckDB, and how far it is complete."""
