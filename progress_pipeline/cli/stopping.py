"""Being stopped: how Ctrl-C and SIGTERM end a command that asks the vendor."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from progress_pipeline.errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn both signals into an error of ours.

    Dagster puts handlers of its own in place while a step runs and does not tell which signal came; the interpreter's
    wakeup descriptor does.

    Raises:
        StoppedError: A signal came.
    """
    listening, noting = socket.socketpair()
    with listening, noting:
        listening.setblocking(False)  # noqa: FBT003 - its one argument
        noting.setblocking(False)  # noqa: FBT003 - its one argument
        before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
        wakeup = signal.set_wakeup_fd(noting.fileno(), warn_on_full_buffer=False)
        try:
            yield
        except KeyboardInterrupt as error:
            number = next((each for each in _noted(listening) if each in SIGNALS), signal.SIGINT)
            raise StoppedError(signal.Signals(number)) from error
        finally:
            signal.set_wakeup_fd(wakeup)
            for each, handler in before.items():
                signal.signal(each, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _noted(listening: socket.socket) -> bytes:
    try:
        return listening.recv(4096)
    except BlockingIOError:
        return b""
