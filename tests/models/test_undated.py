"""`intermediate.int_undated_bounded`: when that was of which the webhook told nothing, by what it told around it."""

from typing import Any

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

BOUNDED = "intermediate.int_undated_bounded"


def step(number: int) -> dict[str, Any]:
    """Make a step of one of three registrations: an update that has an id of its own and no date."""
    return record(transaction_id=number, registration=f"r-{number % 3}", progress=number - 100)


def test_a_late_neighbour_bounds_anew_what_is_undated(raw: Raw) -> None:
    """By the key of what is undated, though only the neighbour changed; a rebuild gives the same."""
    updates = {number: step(number) for number in range(101, 110)}
    raw.told_by_api(FIRST_DAY + DAY, *updates.values())
    for number, one in updates.items():
        if number not in {104, 105}:
            raw.told_by_webhook(FIRST_DAY + number % 100 * HOUR, "progressed", one)
    raw.build()
    bounds = "transaction_id, not_before, not_after, not_after_known_at"
    after = (FIRST_DAY + 6 * HOUR, FIRST_DAY + DAY)
    assert raw.table(BOUNDED, bounds) == [(number, FIRST_DAY + 3 * HOUR, *after) for number in (104, 105)]

    raw.told_by_api(FIRST_DAY + 2 * DAY)
    raw.told_by_webhook(FIRST_DAY + 30 * HOUR, "progressed", updates[104])
    (built,) = [one for one in raw.build() if one.model == BOUNDED]
    assert built.was_incremental
    late = raw.table(BOUNDED, bounds)
    assert late[-1] == (105, FIRST_DAY + 30 * HOUR, *after)
    raw.build(full_refresh=True)
    assert raw.table(BOUNDED, bounds) == late


def test_what_has_no_told_neighbour_on_both_sides_is_not_bounded_here(raw: Raw) -> None:
    """The first and the last of all have one on one side at most, and those of 50 ids away are too far."""
    updates = {number: step(number) for number in (101, 102, 103, 160, 161, 250)}
    raw.told_by_api(FIRST_DAY + DAY, *updates.values())
    for number in (102, 160, 161):
        raw.told_by_webhook(FIRST_DAY + number % 100 * HOUR, "progressed", updates[number])
    raw.build()
    assert raw.table(BOUNDED, "transaction_id") == []
