"""Where the time of a finished run went, read out of its history: nothing is measured while it runs.

Dagster writes down when each step began and ended, our own log lines stand between, and the models say what each took.
Rows and bytes are those that the assets told, and those of the calls that the run's loads brought.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from progress_pipeline.orchestration.running import Ended
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.connection import connect

if TYPE_CHECKING:
    import dagster as dg

MOST_PARTS = 8
"""The dearest models that are named; the others are one line."""

_CALLS = """
    select sum(duration_seconds), sum(row_count), sum(byte_count)
    from raw.api_calls
    where load_number in (select load_number from raw.runs where run_id = $1)
"""
_FILES = """
    select sum(delivery_count), sum(byte_count)
    from raw.webhook_files
    where load_number in (select load_number from raw.runs where run_id = $1)
"""


@dataclass(frozen=True)
class Spent:
    """What a step, or a part of one, took.

    Attributes:
        step: Dagster's step; `between steps` is what Dagster itself took.
        part: The part; empty for the step as a whole.
        seconds: Wall time; None where it is not known apart.
        rows: Rows that it brought or changed, where that is known.
        bytes: Bytes that it read or wrote, where that is known.
    """

    step: str
    part: str
    seconds: float | None
    rows: int | None = None
    bytes: int | None = None


def profile(history: "dg.DagsterInstance", ended: Ended, settings: Settings) -> list[Spent]:
    """Say where the time of a run went, step by step, in the order of the run."""
    spans, lines = _read(history, ended.run_id)
    parts = {"raw": list(_raw(lines, spans, ended, settings)), "models": list(_models(ended.facts))}
    published = ended.facts.get("published/progress", {})
    told: list[Spent] = []
    for step, (begun, over) in spans.items():
        told.append(
            _published(published, over - begun)
            if step == "published__progress"
            else Spent(step, "", round(over - begun, 3))
        )
        told += parts.get(step, [])
    if spans:
        whole = max(over for _, over in spans.values()) - min(begun for begun, _ in spans.values())
        in_steps = sum(over - begun for begun, over in spans.values())
        told.append(Spent("between steps", "", round(max(whole - in_steps, 0.0), 3)))
    return told


def _read(
    history: "dg.DagsterInstance", run_id: str
) -> tuple[dict[str, tuple[float, float]], list[tuple[str, float, str]]]:
    """Read when each step began and ended, and our own log lines: step, when, text."""
    begun: dict[str, float] = {}
    spans: dict[str, tuple[float, float]] = {}
    lines: list[tuple[str, float, str]] = []
    for entry in history.all_logs(run_id):
        step, event = entry.step_key, entry.dagster_event
        if step is None:
            continue
        if event is None:
            lines.append((step, entry.timestamp, entry.user_message))
        elif event.is_step_start:
            begun[step] = entry.timestamp
        elif (event.is_step_success or event.is_step_failure) and step in begun:
            spans[step] = (begun[step], entry.timestamp)
    return spans, lines


def _raw(
    lines: list[tuple[str, float, str]], spans: Mapping[str, tuple[float, float]], ended: Ended, settings: Settings
) -> Iterator[Spent]:
    """Tell the parts of the step `raw`: from each of its log lines to the next, and what the vendor took of it."""
    mine = [(at, text) for step, at, text in lines if step == "raw"]
    if "raw" not in spans:
        return
    for (at, text), (until, _) in zip(mine, [*mine[1:], (spans["raw"][1], "")], strict=True):
        yield Spent("raw", text, round(until - at, 3))
    with connect(settings.warehouse_path) as connection:
        ((seconds, rows, size),) = connection.execute(_CALLS, [ended.run_id]).fetchall()
        ((deliveries, landed),) = connection.execute(_FILES, [ended.run_id]).fetchall()
    if rows is not None:
        yield Spent("raw", "of it, until answers were there and read", round(seconds or 0.0, 3), int(rows), int(size))
    if deliveries is not None:
        yield Spent("raw", "deliveries landed", None, int(deliveries), int(landed or 0))


def _models(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[Spent]:
    """Tell the dearest models."""
    built = sorted(
        (
            Spent("models", name.replace("/", "."), float(told["seconds"]), int(told["changed_rows"]))
            for name, told in facts.items()
            if "seconds" in told and isinstance(told.get("changed_rows"), int)
        ),
        key=lambda spent: -(spent.seconds or 0.0),
    )
    yield from built[:MOST_PARTS]
    rest = built[MOST_PARTS:]
    if rest:
        seconds = sum(spent.seconds or 0.0 for spent in rest)
        yield Spent("models", f"{len(rest)} others", round(seconds, 3), sum(spent.rows or 0 for spent in rest))


def _published(facts: Mapping[str, object], seconds: float) -> Spent:
    rows, size = facts.get("rows"), facts.get("bytes")
    count = sum(rows.values()) if isinstance(rows, Mapping) else None
    return Spent("published__progress", "", round(seconds, 3), count, size if isinstance(size, int) else None)
