"""The list under any switches, against a model of it that is too simple to be wrong."""

from datetime import datetime, timedelta
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.sandbox.truth import UpdateTruth

SORTS = ("firstName", "lastName", "dateStarted", "dateCompleted", "progress", "registration", "transactionId")

switches = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 5),
        "transactions": st.sampled_from(("per_update", "in_place")),
        "listed": st.sampled_from(("all", "newest")),
        "filter_on": st.sampled_from(("last_change", "started", "completed", "completed_or_started")),
        "start_is": st.sampled_from(("inclusive", "exclusive")),
        "end_is": st.sampled_from(("inclusive", "exclusive")),
        "undated": st.sampled_from(("in", "out")),
    }
)
questions = st.fixed_dictionaries(
    {
        "sort": st.sampled_from(SORTS),
        "order": st.sampled_from(("ASC", "DESC")),
        "start": st.integers(0, 30),
        "number": st.integers(0, 30),
        "completed": st.booleans(),
    }
)


def expected(
    config: SandboxConfig, updates: list[UpdateTruth], ends: list[datetime], asked: dict[str, Any]
) -> list[int]:
    """Say which transactions come, in order: the model."""
    if config.transactions == "in_place" or config.listed == "newest":
        updates = [*{one.registration: one for one in updates}.values()]
        updates.sort(key=lambda one: one.update_id)
    found = [
        one for one in updates if is_in(config, one, ends) and (not asked["completed"] or one.record["dateCompleted"])
    ]
    found.sort(key=lambda one: sort_key(one.record[asked["sort"]]), reverse=asked["order"] == "DESC")
    return [one.transaction_id for one in found][asked["start"] :][: asked["number"]]


def is_in(config: SandboxConfig, one: UpdateTruth, ends: list[datetime]) -> bool:
    """Say whether an update lies in a range."""
    started, completed = one.record["dateStarted"], one.record["dateCompleted"]
    date: datetime | None = {
        "last_change": one.happened_at,
        "started": started,
        "completed": completed,
        "completed_or_started": completed or started,
    }[config.filter_on]
    if date is None:
        return config.undated == "in"
    start, end = ends
    after = date >= start if config.start_is == "inclusive" else date > start
    before = date <= end if config.end_is == "inclusive" else date < end
    return after and before


def sort_key(value: Any) -> tuple[bool, Any]:
    """Put what is absent first."""
    return (value is not None, value or 0) if not isinstance(value, str) else (True, value)


@settings(max_examples=60, deadline=None)
@given(switches, questions, st.data())
def test_the_list_is_what_its_switches_say(
    switched: dict[str, Any], asked: dict[str, Any], data: st.DataObject
) -> None:
    """Any filter, order and page, at any instant."""
    config = SandboxConfig(registrations=25, days=20, undated_share=0.1, **switched)
    with Sandbox(config) as sandbox, httpx.Client(verify=False) as client:  # noqa: S501 - loopback, without TLS
        instants = [one.happened_at for one in sandbox.truth.updates(to_come=True)]
        ends = sorted(data.draw(st.sampled_from(instants), label="end") for _ in range(2))
        sandbox.clock.set(
            data.draw(st.sampled_from(instants), label="clock") + timedelta(days=data.draw(st.integers(0, 9)))
        )
        fields = asked | {"token": sandbox.token, "startDate": ends[0].isoformat(), "endDate": ends[1].isoformat()}
        rows = client.post(sandbox.api_url, json=fields).json()["rows"]
        assert [row["transactionId"] for row in rows] == expected(config, sandbox.truth.updates(), ends, asked)
