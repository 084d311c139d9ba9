"""Runs `progress-pipeline` in a process of its own, forked from one that has its imports done, and kills it on demand.

`step` runs the steps of a daily run alone, without Dagster and without publishing: a third of the time.

A kill is SIGKILL at the moment at which a named function is entered or left for the n-th time: the process does it to
itself, from a profiler's hook, so that nothing is patched and nothing is left to timing.
"""

import faulthandler
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, FrameType
from typing import Literal, TypeAlias

from tests.e2e.playing import Spoken

WAIT_SECONDS = 60.0
Work: TypeAlias = Callable[[tuple[str, ...]], None]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.e2e.readied"])


@dataclass(frozen=True)
class Kill:
    """Where a process ends itself.

    Attributes:
        function: Like `package.module:Class.function`.
        moment: On entering or leaving it.
        time: The how-manieth time, from 1.
    """

    function: str
    moment: Literal["call", "return"] = "call"
    time: int = 1

    def code(self) -> CodeType:
        """Find the function."""
        module, _, path = self.function.partition(":")
        found = reduce(getattr, path.split("."), importlib.import_module(module))
        while hasattr(found, "__wrapped__"):
            found = found.__wrapped__
        code = found.__code__
        assert isinstance(code, CodeType)
        return code


@dataclass(frozen=True)
class Running:
    """A command that was started."""

    process: BaseProcess
    out: Path
    err: Path

    def wait(self) -> Spoken:
        """Wait for its end; a killed one has the exit code -9."""
        self.process.join(WAIT_SECONDS)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"It did not end. It said: {self.err.read_text()}")
        self.process.close()
        return Spoken(code, self.out.read_text(), self.err.read_text())


def start(*words: str, env: Mapping[str, str], kill: Kill | None = None) -> Running:
    """Start a command, and go on."""
    return _start(_command, words, env, kill)


def run(*words: str, env: Mapping[str, str], kill: Kill | None = None) -> Spoken:
    """Run a command to its end."""
    return start(*words, env=env, kill=kill).wait()


def step(now: datetime, *, env: Mapping[str, str], kill: Kill | None = None) -> Spoken:
    """Take the steps of a daily run to their end."""
    return _start(_steps, (now.isoformat(),), env, kill).wait()


def _command(words: tuple[str, ...]) -> None:
    app = importlib.import_module("progress_pipeline.cli.app")
    sys.argv = ["progress-pipeline", *words]
    app.run_command()


def _steps(words: tuple[str, ...]) -> None:
    stepping = importlib.import_module("tests.stepping")
    settings = importlib.import_module("progress_pipeline.settings").load_settings()
    sys.exit(stepping.Stepper(settings).run(datetime.fromisoformat(words[0])) != "done")


def _start(what: Work, words: tuple[str, ...], env: Mapping[str, str], kill: Kill | None) -> Running:
    folder = Path(env["PROGRESS_DATA_DIR"]).parent
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob("said-*.out")))
    out, err = folder / f"said-{number}.out", folder / f"said-{number}.err"
    out.touch()
    err.touch()
    process = _CONTEXT.Process(target=_speak, args=(what, words, dict(env), str(out), str(err), kill))
    process.start()
    return Running(process, out, err)


def _speak(  # noqa: PLR0913, PLR0917 - what a process is given, in its one place
    what: Work, words: tuple[str, ...], env: dict[str, str], out: str, err: str, kill: Kill | None
) -> None:
    os.environ.clear()
    os.environ.update(env)
    for path, descriptor in ((out, 1), (err, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    faulthandler.dump_traceback_later(WAIT_SECONDS * 0.9, exit=True)  # says where it hangs, if it does
    if kill is not None:
        _arm(kill)
    what(words)


def _arm(kill: Kill) -> None:
    code, moment, left = kill.code(), kill.moment, kill.time

    def hook(frame: FrameType, event: str, _: object) -> None:
        nonlocal left
        if frame.f_code is code and event == moment:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(hook)
    sys.setprofile(hook)
