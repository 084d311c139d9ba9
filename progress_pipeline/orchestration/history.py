"""Dagster's home: one folder under the data folder that the command line, the scheduler and the UI share.

Runs started anywhere stand in the same history. Nothing is sent to anyone. No path stands in the folder, so that the
data folder can be copied, moved and brought back.

Runs take turns by `warehouse.locking`, whose lock the kernel gives back when a process dies. A pool
of Dagster's would not do: a killed run keeps its slot, and each later run waits for it for ever.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from progress_pipeline.errors import StateError
from progress_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

CONFIG_FILE = "dagster.yaml"
_CONFIG = """\
# Written by progress-pipeline where it is missing; edit it freely.
telemetry:
  enabled: false
nux:
  enabled: false
event_log_storage:
  module: progress_pipeline.orchestration.event_log
  class: PooledSqliteEventLogStorage
  config:
    base_dir: {env: DAGSTER_HOME}
python_logs:
  managed_python_loggers: [progress_pipeline]
  python_log_level: INFO
"""


def prepare_home(settings: Settings) -> Path:
    """Make Dagster's home where it is missing, and point this process and its children at it.

    Returns:
        The folder, absolute.
    """
    home = settings.history_path.resolve()
    home.mkdir(parents=True, exist_ok=True)
    config = home / CONFIG_FILE
    if not config.exists():
        # Whole or not at all: from one that a crash cut off Dagster would take its own ways, telemetry among them.
        aside = config.with_name(f".{config.name}.{os.getpid()}")
        aside.write_text(_CONFIG, encoding="utf-8")
        aside.replace(config)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def as_our_errors(home: Path) -> Iterator[None]:
    """Turn what the system and SQLite say of the history's files into an error of ours.

    Raises:
        StateError: A file of the history cannot be used.
    """
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - with Dagster, and as late

    try:
        yield
    except (OSError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StateError(
            f"The history of runs in {home} cannot be used: {reason}. Check that PROGRESS_DATA_DIR is a folder that "
            f"can be written and has room; if a file is broken, move {home} away: the next run begins a new one, and "
            "no data is in it."
        ) from error


def open_history(settings: Settings) -> "dg.DagsterInstance":
    """Open the history of runs; the caller closes it, as a context manager.

    Two processes that open a new history at once would both make its files and tables, so they take turns.

    Raises:
        StateError: A file of the history cannot be used.
    """
    # Dagster takes a second to import, and preparing a home needs none of it.
    import dagster as dg  # noqa: PLC0415 - see above
    import yaml  # noqa: PLC0415 - with it
    from dagster._check import CheckError  # noqa: PLC0415 - with it

    home = settings.history_path
    with as_our_errors(home):
        home.mkdir(parents=True, exist_ok=True)
    with as_our_errors(home), FileLock(home / "opening.lock"):
        try:
            history = dg.DagsterInstance.from_config(str(prepare_home(settings)))
        except (yaml.YAMLError, CheckError, dg.DagsterError) as error:
            reason = " ".join(str(error).split())
            raise StateError(
                f"{home / CONFIG_FILE} cannot be used: {reason} Correct it, or remove it: the next run writes it anew."
            ) from error
        for storage in (history.run_storage, history.event_log_storage, history.schedule_storage):
            if storage is None:
                raise RuntimeError("Dagster gave a history without storage")
    return history
