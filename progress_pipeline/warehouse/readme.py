"""What a published file says of itself in its table `readme`: to somebody who has nothing but the file."""

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.personal import PersonalData, Privacy

_ABOUT = (
    "Who started, progressed in and completed which learning activity, from the vendor's API and its webhook together, "
    "and how far that is complete."
)
_START_HERE = {
    "marts.fct_progress": "where each learner stands in each activity",
    "marts.fct_completions": "every completion, once",
    "marts.fct_certifications": "until when each completion is valid: current, expiring, lapsed, renewed",
    "marts.fct_unfinished": "who has not completed, and since when nothing moved",
    "marts.agg_activities": "how many complete each activity, and how long it takes",
    "marts.agg_cohorts_weekly": "the funnel from start to completion, by week of the start",
    "marts.agg_activity_daily": "what happened, day by day",
    "marts.dim_learners": "learners; marts.dim_learners_history has every spelling",
    "audit.watermarks": "up to when API and webhook agree on everything",
    "audit.gaps": "what one of them owed, since when, why, and whether it was brought",
}
_PERSONAL = {
    PersonalData.FULL: "Names, addresses and member identifiers stand here as told. Keep this file accordingly.",
    PersonalData.PSEUDONYMS: "Identifiers are keyed pseudonyms: the same person has the same one in every version made "
    "with the same key. Names are left out.",
    PersonalData.NONE: "Nothing that names persons or tells them apart; tables about persons alone are left out.",
}
_MARKS = "select update_kind, agreed_until, held_by from {}.audit.watermarks order by update_kind"


def version_of(as_of: datetime) -> str:
    """Give the name of a version: the instant that it is true for."""
    return as_of.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def readme_rows(
    connection: duckdb.DuckDBPyConnection, database: str, models: Sequence[Model], as_of: datetime, privacy: Privacy
) -> dict[str, str]:
    """Give the facts, by topic, in the order in which somebody would ask for them.

    Args:
        connection: To the file.
        database: The name under which it is attached.
        models: What is in it.
        as_of: The instant that the data is true for.
        privacy: What it tells of persons.
    """
    names = {model.name for model in models}
    rows = {
        "about": _ABOUT,
        "as_of": as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "version": version_of(as_of),
    }
    if "audit.watermarks" in names:
        for kind, until, held_by in connection.execute(_MARKS.format(database)).fetchall():
            told = f"{until:%Y-%m-%d %H:%M:%S UTC}" if until else "no instant"
            rows[f"agreed_{kind}"] = f"API and webhook agree on everything before {told}; it stands at: {held_by}."
    rows["time"] = "All instants and days are UTC. Rates are from 0 to 1, progress from 0 to 100."
    rows["personal_data"] = _PERSONAL[privacy.personal_data]
    rows["how_to_ask"] = (
        "Every table and column has a comment: from dictionary; describe marts.fct_progress; summarize "
        "marts.fct_progress. Keep the file open as long as you like: a new version takes its place and disturbs nobody."
    )
    rows |= {f"table {name}": told for name, told in _START_HERE.items() if name in names}
    return rows
