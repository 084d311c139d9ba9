"""A signal ends what is stoppable with an error that names it, whatever becomes of what its handler raised."""

import os
import signal
import threading
from collections.abc import Callable

import duckdb
import pytest

from progress_pipeline.errors import StoppedError
from progress_pipeline.orchestration.stopping import stoppable


def wait_for_ever() -> None:
    """Wait as a step that asks or reads."""
    threading.Event().wait()


def query_for_ever() -> None:
    """Compute in DuckDB, which puts an error of its own in the place of what the handler raises.

    In this thread alone: before DuckDB ends a query it waits for its other threads, one of which may do all of it.
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("select sum(a.range * b.range) from range(100_000_000) a, range(100_000_000) b").fetchall()


def fail_in_a_clean_up() -> None:
    """Wait, and let what follows an interruption fail in its turn."""
    try:
        wait_for_ever()
    finally:
        os.close(os.open(os.curdir, os.O_RDONLY) + 1_000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("work", [wait_for_ever, query_for_ever, fail_in_a_clean_up])
def test_what_fails_after_a_signal_was_stopped_by_it(work: Callable[[], None], number: signal.Signals) -> None:
    """With the exit code that a shell expects."""
    with pytest.raises(StoppedError, match=number.name) as stopped, stoppable():  # noqa: PT012 - no signal before it
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        work()
    assert stopped.value.exit_code == 128 + number


def test_what_goes_on_in_spite_of_a_signal_can_ask_for_it() -> None:
    """A run that gives its failure back, instead of raising it, was stopped if a signal came."""
    with pytest.raises(StoppedError, match="SIGTERM"), stoppable() as raise_if_told:  # noqa: PT012 - what it is about
        raise_if_told()
        signal.signal(signal.SIGTERM, lambda *_: None)
        os.kill(os.getpid(), signal.SIGTERM)
        raise_if_told()


def test_what_fails_without_a_signal_fails_as_it_is() -> None:
    """And the handlers that were there before are there again."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(OSError, match="nothing to do with it"), stoppable():
        raise OSError("nothing to do with it")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
