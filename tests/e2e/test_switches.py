"""Whatever the vendor's answer to an open question, the facts are the same.

Each switch of the sandbox that stands for an unknown of the vendor, for an envelope or for an odd value is turned by
itself, on the same small world. The API is the only witness, so that the webhook hides no fault of the asking; where a
switch keeps a fact from the API, the webhook tells it, and says so here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.settings import load_settings
from progress_pipeline.warehouse.connection import connect
from tests.models.plain_loading import PlainLoader
from tests.stepping import Stepper

BEGINS_AT = datetime(2026, 1, 1, tzinfo=UTC)
RUNS_AT = (BEGINS_AT + timedelta(days=2, hours=5), BEGINS_AT + timedelta(days=5, hours=5))
FACT = "marts.fct_progress"
QUERY = f"""
    select
        registration_id, lower(email) as email, activity_id, started_at, progress_percent, is_completed, completed_at
    from {FACT}
    order by registration_id
"""  # noqa: S608 - our own name

Switches: TypeAlias = Mapping[str, Any]
Facts: TypeAlias = list[tuple[Any, ...]]

BY_THE_API: dict[str, Switches] = {
    "filter on the start": {"filter_on": "started"},
    "filter on the completion": {"filter_on": "completed"},
    "start date exclusive": {"start_is": "exclusive"},
    "end date inclusive": {"end_is": "inclusive"},
    "dates read in a zone west": {"dates_read_in": "America/Los_Angeles"},
    "dates read in a zone east": {"dates_read_in": "Pacific/Auckland"},
    "dates cut to the second": {"dates_cut_to": "second"},
    "dates cut to the day": {"dates_cut_to": "day"},
    "filter on the completion or else the start": {"filter_on": "completed_or_started"},
    "dates required": {"dates_required": True},
    "future, long ranges and many records refused": {
        "takes_future": False,
        "longest_range_days": 8,
        "most_records": 100,
    },
    "pages capped": {"page_cap": 20},
    "start counts pages": {"start_counts": "pages"},
    "start ignored": {"start_counts": "ignored"},
    "sort by transaction ignored": {"sort_transaction_id": "ignored"},
    "sort by transaction refused": {"sort_transaction_id": "error"},
    "ties shuffled": {"sort_transaction_id": "ignored", "ties": "shuffled"},
    "transactions in place": {"transactions": "in_place"},
    "newest transaction listed": {"listed": "newest"},
    "bare array": {"envelope": "array"},
    "bare object": {"envelope": "object"},
    "count of the page": {"count": "page"},
    "no count": {"count": "missing"},
    "transactions as text": {"transaction_id_as": "string"},
    "transactions mixed": {"transaction_id_as": "mixed"},
    "progress as text": {"progress_as": "string"},
    "progress with a point": {"progress_as": "float"},
    "progress mixed": {"progress_as": "mixed"},
    "absent as null": {"absent_as": "null"},
    "absent as missing": {"absent_as": "missing"},
    "absent mixed": {"absent_as": "mixed"},
    "times with Z": {"times_as": "z"},
    "times with Z and fractions": {"times_as": "fractions_z"},
    "times mixed": {"times_as": "mixed"},
    "unknown keys": {"unknown_keys": True},
    "no member identifiers": {"member_identifier": "absent"},
    "codes that are none": {"odd_codes_share": 0.5},
    "things that are no record": {"junk_rows": 3},
}

BY_BOTH: dict[str, Switches] = {
    "undated starts not listed": {"filter_on": "started", "undated": "out"},
    "unfinished not listed": {"filter_on": "completed", "undated": "out"},
    "pushes written otherwise": {"push_form_differs": True},
    "pushes of one flat record": {"push_shape": "flat"},
    "pushes without empty lists": {"push_empty_lists": False},
}


def play(folder: Path, switches: Switches, *, is_pushed: bool) -> tuple[Facts, Facts]:
    """Play the small world under some switches; gives its facts and the truth."""
    landing = folder / "landing" / "webhook"
    landing.mkdir(parents=True)
    of: dict[str, Any] = {
        "seed": 11,
        "registrations": 25,
        "days": 5,
        "start_at": BEGINS_AT,
        "undated_share": 0.1,
        **switches,
    }
    with Sandbox(SandboxConfig(**of, push_folder=landing if is_pushed else None)) as sandbox:
        settings = load_settings(
            api_url=sandbox.api_url, api_token=sandbox.token, data_dir=folder, start_date="2026-01-01", api_page_size=40
        )
        stepper = Stepper(settings, PlainLoader, (FACT,))
        for now in RUNS_AT:
            sandbox.clock.set(now)
            stepper.pull(now)
        stepper.build()
        truth = {update.registration: update.record for update in sandbox.truth.updates()}
    with connect(settings.warehouse_path) as connection:
        facts = connection.execute(QUERY).fetchall()
    return facts, [_fact(truth[name]) for name in sorted(truth)]


def _fact(record: Mapping[str, Any]) -> tuple[Any, ...]:
    started, completed = (at and at.replace(tzinfo=None) for at in (record["dateStarted"], record["dateCompleted"]))
    named = record["registration"], record["email"].lower(), record["activityId"]
    return (*named, started, float(record["progress"]), completed is not None, completed)


@pytest.fixture(scope="module")
def kind_facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """Give the facts under the kind default, which are the truth."""
    facts, truth = play(tmp_path_factory.mktemp("kind"), {}, is_pushed=False)
    assert facts == truth
    assert len(facts) == 25
    assert len({fact[5] for fact in facts}) == 2
    return facts


@pytest.mark.parametrize("switches", BY_THE_API.values(), ids=BY_THE_API)
def test_the_api_alone_gives_the_same_facts(tmp_path: Path, kind_facts: Facts, switches: Switches) -> None:
    """As under the kind default, and as truly happened."""
    facts, truth = play(tmp_path, switches, is_pushed=False)
    assert facts == truth
    assert facts == kind_facts


@pytest.mark.parametrize("switches", BY_BOTH.values(), ids=BY_BOTH)
def test_what_one_witness_hides_or_writes_otherwise_the_facts_hold(
    tmp_path: Path, kind_facts: Facts, switches: Switches
) -> None:
    """What the API does not list is told by the webhook alone."""
    facts, truth = play(tmp_path, switches, is_pushed=True)
    assert facts == truth
    assert facts == kind_facts


def test_ids_that_are_no_ids_are_taken_as_they_are(tmp_path: Path) -> None:
    """Registrations that are no valid UUID, in a world of its own."""
    facts, truth = play(tmp_path, {"odd_registrations_share": 0.5}, is_pushed=False)
    assert facts == truth
    assert any(
        len(fact[0]) != 36 or "-" not in fact[0] or not set(fact[0]) <= set("0123456789abcdef-") for fact in facts
    )
