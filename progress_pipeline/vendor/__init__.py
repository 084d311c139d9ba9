"""Asking the vendor: client, records, paging, windows and the calls ledger.

Knows httpx and files; no dlt, Dagster or DuckDB.
"""
