"""Asking the vendor: client, records, paging, windows and the calls ledger.

Knows httpx and files; no dlt, Dagster or DuckDB. Its modules by subject, from a run's plan down to a span of time:

    what to ask today       planning, backfilling, rechecks, staleness; by known, density and pricing
    carrying a plan out     asking, sweeping, bringing; concluding, claims and attempts say what is proven
    where to cut a span     cutting, forecast; resuming and unfinished: where earlier runs stopped
    ways to page            ways; linking, sizing; measuring and starting: how long a list is; tiles: what came
    what is known of it     answers; inference, from every answer; probe and date_probe, by asking, with witnesses;
                            refusals: what it does not take
    a call                  asker, client, sending, answering, exchange; pages, kept as evidence
    counting calls          ledger, ledger_file, ledger_errors, calls; counting: the rules of a day
    reading what came       records, quick, verbatim, items, dates; bundles, which the webhook brought
    spans of time           windows
"""
