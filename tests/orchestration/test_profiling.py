"""Where the time of a run went, as its history tells."""

import dagster as dg

from progress_pipeline.orchestration.profiling import profile
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.connection import connect
from tests.orchestration.conftest import Play


def test_a_profile_names_every_step_with_what_it_took(
    play: Play, history: dg.DagsterInstance, settings: Settings
) -> None:
    """Steps and what lies between them are the whole run; rows and bytes are those of the calls and the file."""
    ended = play(3)
    told = profile(history, ended, settings)
    steps = {spent.step: spent for spent in told if not spent.part}
    assert steps.keys() == {"raw", "models", "repairs", "checks", "published__progress", "between steps"}
    assert all(spent.seconds is not None and spent.seconds >= 0 for spent in steps.values())
    with connect(settings.warehouse_path) as connection:
        ((rows, size),) = connection.execute("select sum(row_count), sum(byte_count) from raw.api_calls").fetchall()
    (calls,) = [spent for spent in told if spent.part.startswith("of it")]
    assert (calls.rows, calls.bytes) == (rows, size)
    assert calls.seconds is not None
    assert calls.seconds <= (steps["raw"].seconds or 0)
    assert steps["published__progress"].bytes == settings.published_path.stat().st_size
    models = [spent for spent in told if spent.step == "models" and spent.part]
    assert sum(spent.seconds or 0 for spent in models) <= (steps["models"].seconds or 0)
