"""Dagster's side: resources, assets, checks and automation. No SQL text, HTTP or business rule stands here."""
