"""What the asking is planned by is read from the warehouse, whatever each model is materialised as."""

from datetime import date

import duckdb
import pytest

from progress_pipeline.warehouse.state import known_state

_FACTS = """
    select timestamp '2026-01-02 08:00:00' as started_at, false as is_completed, true as told_by_api
    union all
    select timestamp '2026-01-02 09:00:00', true, true
    union all
    select null, false, true
"""


@pytest.mark.parametrize("kind", ["table", "view"])
def test_open_registrations_are_known_whether_the_mart_is_a_table_or_a_view(kind: str) -> None:
    """Without them nothing that was started earlier would ever be asked again."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(f"create {kind} marts.fct_progress as {_FACTS}")
        state = known_state(connection)
    (day,) = state.started_days
    assert (day.day, day.open_count, day.total_count) == (date(2026, 1, 2), 1, 2)
    assert state.undated_open_count == 1


def test_an_empty_warehouse_knows_nothing() -> None:
    """The first run plans from nothing."""
    with duckdb.connect() as connection:
        state = known_state(connection)
    assert (state.proven, state.unproven, state.started_days, state.undated_open_count) == ((), (), (), 0)
