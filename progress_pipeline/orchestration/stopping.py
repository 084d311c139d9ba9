"""Being stopped: how Ctrl-C and SIGTERM end what asks the vendor."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from progress_pipeline.errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Turn both signals into an error of ours, and give a function that raises it if one of them came.

    Only the interpreter's wakeup descriptor knows for sure. Dagster puts handlers of its own in place while a step runs
    and does not tell which signal came; and what a handler raises is lost where it meets a query of DuckDB, which ends
    with a plain RuntimeError, or a clean-up that fails in its turn. So whatever ends the block after a signal is taken
    for that signal's doing.

    Raises:
        StoppedError: A signal came.
    """
    listening, noting = socket.socketpair()
    with listening, noting:
        listening.setblocking(False)  # noqa: FBT003 - its one argument
        noting.setblocking(False)  # noqa: FBT003 - its one argument
        before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
        wakeup = signal.set_wakeup_fd(noting.fileno(), warn_on_full_buffer=False)

        def raise_if_told() -> None:
            if number := _came(listening):
                raise StoppedError(number)

        try:
            yield raise_if_told
        except BaseException as error:
            if number := _came(listening):
                raise StoppedError(number) from error
            raise
        finally:
            signal.set_wakeup_fd(wakeup)
            for each, handler in before.items():
                signal.signal(each, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _came(listening: socket.socket) -> signal.Signals | None:
    try:
        noted = listening.recv(4096)
    except BlockingIOError:
        return None
    return next((number for number in SIGNALS if number in noted), None)
