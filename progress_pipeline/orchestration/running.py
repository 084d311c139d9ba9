"""Runs a job in this process, into the history that the UI shows, and says how it ended.

The command line's `run` and `backfill` are the same jobs, assets and checks that a person starts in the UI.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from progress_pipeline import errors
from progress_pipeline.orchestration.assembling import build_definitions
from progress_pipeline.orchestration.history import as_our_errors
from progress_pipeline.orchestration.stopping import stoppable

if TYPE_CHECKING:
    # Dagster has no public name for what a failed step says.
    from dagster_shared.error import SerializableErrorInfo

EXIT_GOOD = 0
EXIT_FAILED = 1
EXIT_CHECK_FAILED = 3
EXIT_CALLS_USED_UP = 4

_HELD_BACK = {
    "calls_used_up": EXIT_CALLS_USED_UP,
    "limit_refused": EXIT_CALLS_USED_UP,
    "unavailable": EXIT_FAILED,
}
"""Exit codes by how the asking ended, where it did not end well."""


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass, and what was said of it."""

    name: str
    table: str
    severity: str
    told: str


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        run_id: Dagster's name of the run.
        exit_code: What a command gives back to the shell.
        told: What stopped it, or held it back, in sentences; empty if nothing did.
        failed_checks: The checks that did not pass.
        facts: What the steps told of themselves, by asset: metadata as plain values.
    """

    run_id: str
    exit_code: int
    told: tuple[str, ...]
    failed_checks: tuple[FailedCheck, ...]
    facts: Mapping[str, Mapping[str, object]]


def run_job(
    job: str,
    history: dg.DagsterInstance,
    *,
    as_of: str = "",
    pull: Mapping[str, object] | None = None,
    without: Collection[dg.AssetKey] = (),
) -> Ended:
    """Run a job to its end.

    Args:
        job: `daily` or `backfill`.
        history: Where the run is written down, from `open_history`.
        as_of: The instant that the run takes as now, ISO 8601; empty for the present.
        pull: Configuration of the raw step.
        without: Assets of the job that are not made.

    Raises:
        StoppedError: A signal came before the run's end. Dagster writes the run down as failed.
        StateError: The history cannot be written.
    """
    definition = build_definitions().resolve_job_def(job)
    config: dict[str, object] = {
        "resources": {"run_context": {"config": {"as_of": as_of}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    if pull:
        config["ops"] = {"raw": {"config": dict(pull)}}
    with as_our_errors(Path(history.root_directory)), stoppable() as raise_if_told:
        result = definition.execute_in_process(
            run_config=config,
            instance=history,
            raise_on_error=False,
            tags={"as_of": as_of} if as_of else None,  # what tells runs apart that were made in a row
            asset_selection=[key for key in definition.asset_layer.executable_asset_keys if key not in without]
            if without
            else None,
        )
        if not result.success:
            raise_if_told()
    return _ended(result)


def _ended(result: dg.ExecuteInProcessResult) -> Ended:
    checks = tuple(
        FailedCheck(check.check_name, ".".join(check.asset_key.path), check.severity.value, check.description or "")
        for check in result.get_asset_check_evaluations()
        if not check.passed
    )
    facts = {
        "/".join(event.asset_key.path): {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.all_events
        if event.is_step_materialization and event.asset_key is not None
    }
    told: list[str] = []
    code = EXIT_GOOD
    if any(check.severity == dg.AssetCheckSeverity.ERROR.value for check in checks):
        code = EXIT_CHECK_FAILED
    asking = facts.get("raw/api_windows", {})
    if asking.get("ended") in _HELD_BACK:
        code = _HELD_BACK[str(asking["ended"])]
        told.append(str(asking.get("ended_because", "")))
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            failure, code = _cause(event.step_failure_data.error)
            told.append(failure)
    if not result.success and code in {EXIT_GOOD, EXIT_CHECK_FAILED}:
        code = EXIT_FAILED
    return Ended(result.run_id, code, tuple(told), checks, facts)


def _cause(failure: "SerializableErrorInfo") -> tuple[str, int]:
    """Give what a failed step says, and its exit code: of the first error of ours, or else of the innermost."""
    chain = [failure]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    for each in chain:
        ours = getattr(errors, each.cls_name or "", None)
        if isinstance(ours, type) and issubclass(ours, errors.ProgressPipelineError):
            return each.message.strip().partition(": ")[2] or each.message.strip(), ours.exit_code
    return chain[-1].message.strip(), EXIT_FAILED
