"""A run has the warehouse to itself from its first step to its end, and gives it back however it ends."""

import logging
import threading
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock, Timeout

from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.warehouse.connection import connect


def _is_free(warehouse: Path) -> bool:
    try:
        FileLock(f"{warehouse}.lock").acquire(timeout=0).lock.release()
    except Timeout:
        return False
    return True


@pytest.mark.parametrize("fails", [False, True])
def test_between_the_steps_of_a_run_the_warehouse_is_held_and_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, fails: bool
) -> None:
    """What the first step saw is what the second one finds; after the run the next may begin."""
    monkeypatch.setenv("PROGRESS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PROGRESS_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PROGRESS_API_TOKEN", "a-token")
    monkeypatch.setenv("PROGRESS_START_DATE", "2026-01-01")
    seen: list[bool] = []

    @dg.op
    def first(run_context: RunContext) -> int:
        with run_context.turn() as settings, connect(settings.warehouse_path) as connection:
            connection.execute("create table kept as select 1 as one")
        seen.append(_is_free(settings.warehouse_path))
        return 1

    @dg.op
    def second(run_context: RunContext, one: int) -> None:
        with run_context.turn() as settings, connect(settings.warehouse_path) as connection:
            assert connection.execute("select one from kept").fetchone() == (one,)
        seen.append(_is_free(settings.warehouse_path))
        if fails:
            raise RuntimeError("in the middle of a run")

    @dg.job(resource_defs={"run_context": RunContext()})
    def two_steps() -> None:
        second(first())

    ended = two_steps.execute_in_process(raise_on_error=False)
    assert ended.success is not fails
    assert seen == [False, False]
    (warehouse,) = (tmp_path / "warehouse").glob("*.duckdb")
    assert _is_free(warehouse)


def test_a_run_that_has_to_wait_for_the_warehouse_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before it waits, or it would seem to hang; and again when its turn has come."""
    monkeypatch.setenv("PROGRESS_DATA_DIR", str(tmp_path))
    caplog.set_level(logging.INFO, "progress_pipeline")
    context = RunContext()
    warehouse = context.settings().warehouse_path
    other = FileLock(f"{warehouse}.lock", thread_local=False)
    warehouse.parent.mkdir()
    other.acquire()
    let_go = threading.Timer(0.2, other.release)
    let_go.start()
    with context.turn():
        told = caplog.messages
    context.teardown_after_execution(dg.build_init_resource_context())
    let_go.join()
    assert len(told) == 2
    assert told[0].startswith(f"another run or command is writing {warehouse}; waiting")
