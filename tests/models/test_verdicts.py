"""Faults planted over worlds made from seeds: every gap that can be known is named, and nothing else is.

Each way in which a vendor may use transaction ids is played with every fault at once. What a witness was never owed, or
what nobody could know (a state in place that nobody looked at before the next), is not expected.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, all_models
from tests.models.played_vendor import Operator, Update, Vendor, happenings

DAYS = 10
RUNS = [FIRST_DAY + day * DAY + 5 * HOUR for day in range(DAYS + 9)]
OUTAGE = (FIRST_DAY + 4 * DAY + 6 * HOUR, FIRST_DAY + 4 * DAY + 20 * HOUR)
MODES: dict[str, Callable[[list[Update]], Vendor]] = {
    "a transaction per update, all listed": Vendor,
    "a transaction per update, the newest listed": partial(Vendor, lists_all=False),
    "one transaction updated in place": partial(Vendor, in_place=True),
}


@dataclass
class Planted:
    """Which updates a fault befell, by fault."""

    lost: list[Update]
    late: list[Update]
    withheld: list[Update]
    never: list[Update]
    differing: list[Update]
    out: list[Update]

    def __iter__(self) -> Iterator[Update]:
        """Give all of them."""
        for group in vars(self).values():
            yield from group


def plant(vendor: Vendor, seed: int) -> Planted:
    """Plant each fault on a few updates, none on two, and none on neighbours of one registration."""
    chance = Random(seed)  # noqa: S311 - a test needs no secrecy
    inside = [one for one in vendor.updates if OUTAGE[0] <= one.at < OUTAGE[1]]
    busy = {one.registration for one in inside}
    free = [
        one
        for one in last_of_each(vendor)
        if one.registration not in busy
        and one.at > FIRST_DAY + DAY
        and not OUTAGE[0] - 1.5 * DAY < one.at < OUTAGE[1] + 1.5 * DAY  # next to an outage a loss is one of its own
    ]
    picked = chance.sample(free, 10)
    groups = [picked[start : start + 2] for start in range(0, 10, 2)]
    lost, late, withheld, never, differing = groups
    planted = Planted(lost, late, withheld, never, differing, inside)
    vendor.lose(one.number for one in [*planted.lost, *inside])
    for one in planted.late:
        vendor.delay(one.number, 3 * DAY)
    vendor.shown_from |= {one.number: one.at + 3 * DAY for one in planted.withheld}
    vendor.shown_from |= {one.number: None for one in planted.never}
    for one in planted.differing:
        vendor.change(one.number, first_name="Eve")
    for one in chance.sample(free, 5):  # repeated and reordered deliveries, which are no fault
        vendor.pushes += [push for push in vendor.pushes if push.update == one]
    return planted


def last_of_each(vendor: Vendor) -> list[Update]:
    """Give each registration's last update: the one that its transaction ends with in every mode."""
    return list({one.registration: one for one in vendor.updates}.values())


def knowable(vendor: Vendor, updates: Iterable[Update]) -> list[Update]:
    """Leave out states that no run can have seen because a later one had taken their place."""
    if vendor.lists_all and not vendor.in_place:
        return list(updates)
    newest_at_a_run = {
        max(
            (one for one in vendor.updates if one.registration == registration and one.at <= run),
            key=lambda one: one.at,
        )
        for run in RUNS
        for registration in {one.registration for one in vendor.updates if one.at <= run}
    }
    return [one for one in updates if one in newest_at_a_run]


def named(raw: Raw, kinds: str) -> set[tuple[int, str, str]]:
    """Give the gaps of some kinds: transaction, status and cause."""
    rows = raw.values("select transaction_id, status, cause, kind from audit.gaps where status <> 'suspected'")
    return {(row[0], row[1], row[2]) for row in rows if row[3].startswith(kinds)}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mode", MODES)
def test_every_fault_is_named_with_its_cause_and_nothing_else_is(raw: Raw, mode: str, seed: int) -> None:
    """All faults at once: transactions, statuses and causes as planted."""
    vendor = MODES[mode](happenings(seed, registrations=80, days=DAYS))
    planted = plant(vendor, seed)
    operator = Operator(raw, vendor)
    for run in RUNS:
        operator.pull(run)
    raw.make("audit.gaps", "audit.webhook_outages")

    def gaps(updates: Iterable[Update], status: str, cause: str) -> set[tuple[int, str, str]]:
        return {(vendor.transaction(one), status, cause) for one in updates}

    assert named(raw, "missing_api") | named(raw, "behind_api") == gaps(
        planted.withheld, "repaired", "withheld"
    ) | gaps(planted.never, "open", "withheld")
    assert named(raw, "field_mismatch") == gaps(planted.differing, "open", "vendor_contradicts_itself")
    owed_by_webhook = named(raw, "missing_webhook") | named(raw, "behind_webhook")
    must = gaps(planted.lost, "repaired", "lost") | gaps(planted.late, "repaired", "late")
    possible = {vendor.transaction(one) for one in knowable(vendor, planted.out)}
    in_outage = {gap for gap in owed_by_webhook if gap[2] == "outage"}
    assert owed_by_webhook - in_outage == must
    assert {gap[0] for gap in in_outage} <= possible
    if not vendor.in_place:
        assert {gap[0] for gap in in_outage} == possible
    ((started_at, ended_at, lost),) = raw.table("audit.webhook_outages", "started_at, ended_at, updates_lost")
    assert started_at < OUTAGE[0] + HOUR
    assert ended_at >= OUTAGE[1]
    assert lost <= len(planted.out)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hours", [24, 5])
def test_a_vendor_without_faults_shows_no_gap_at_any_run(raw: Raw, mode: str, hours: int) -> None:
    """However often it is pulled; the newest verdict alone is looked at, since gaps keep their history."""
    vendor = MODES[mode](happenings(3, registrations=80, days=6))
    operator = Operator(raw, vendor)
    at = FIRST_DAY + 5 * HOUR
    while at < vendor.updates[-1].at + DAY:
        operator.pull(at)
        at += timedelta(hours=hours)
    raw.make("audit.gaps", "marts.fct_progress")
    assert raw.table("audit.gaps", "kind, status, transaction_id") == []
    stands = {
        f"r-{one.registration}": (float(one.progress), one.is_completion, vendor.transaction(one))
        for one in last_of_each(vendor)
    }
    rows = raw.table("marts.fct_progress", "registration_id, progress_percent, is_completed, transaction_id")
    assert {row[0]: row[1:] for row in rows} == stands


def tables(raw: Raw) -> dict[str, list[tuple[Any, ...]]]:
    """Give the rows of all that is in marts and audit, views too."""
    return {model.name: raw.table(model.name, "*") for model in all_models() if model.schema in {"marts", "audit"}}


@pytest.mark.parametrize("mode", MODES)
def test_a_rebuild_from_raw_gives_the_same_verdicts_ages_and_histories(raw: Raw, mode: str) -> None:
    """Daily runs with repair, built incrementally, against everything made anew from raw."""
    vendor = MODES[mode](happenings(4, registrations=20, days=4))
    one = last_of_each(vendor)
    vendor.lose([one[0].number, one[1].number])
    vendor.delay(one[2].number, DAY)
    vendor.shown_from |= {one[3].number: one[3].at + 2 * DAY, one[4].number: None, one[5].number: None}
    vendor.change(one[6].number, email="eve@example.invalid")
    operator = Operator(raw, vendor)
    for run in RUNS[2:5]:
        operator.run(run)
    incremental = tables(raw)
    raw.build(full_refresh=True)
    rebuilt = tables(raw)
    assert [name for name, rows in rebuilt.items() if rows != incremental[name]] == []
    for name in ("repairs", "gaps", "reconciliation", "watermarks", "coverage_daily"):
        assert incremental[f"audit.{name}"]


@pytest.mark.parametrize("mode", MODES)
def test_the_watermark_stands_at_a_planted_hole_and_moves_on_when_a_repair_closes_it(raw: Raw, mode: str) -> None:
    """The API withholds one step for two days: each run says to the second where, and by which transaction."""
    vendor = MODES[mode](happenings(5, registrations=30, days=3))
    hole = next(one for one in last_of_each(vendor) if one.kind == "progressed" and one.at > RUNS[1])
    vendor.shown_from[hole.number] = hole.at + 2 * DAY
    (pushed_at,) = (push.at for push in vendor.pushes if push.update == hole)
    operator = Operator(raw, vendor)
    for run in RUNS[1:8]:
        operator.run(run)
        seen = raw.one("select * from audit.watermarks where update_kind = 'progressed'")
        told = (seen["agreed_until"], seen["held_by"], seen["held_by_transaction_id"])
        if hole.at <= run < hole.at + 2 * DAY:
            assert told == (pushed_at, "a gap", vendor.transaction(hole))
        else:
            assert told == (run - 2 * HOUR, "the settle time", None)
