"""The calls of a day: counted as the vendor may count them, refused as it may refuse."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.sandbox.conftest import Ask, Start


def test_the_501st_call_of_a_day_is_refused(start: Start, ask: Ask) -> None:
    """The default limit, over a real socket."""
    sandbox = start(registrations=1)
    assert {ask(sandbox, number=1).status_code for _ in range(500)} == {200}
    refused = ask(sandbox)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 24 * 3600
    assert sandbox.truth.summary().calls_today == 500
    assert len(sandbox.truth.calls()) == 501
    assert [call.is_counted for call in sandbox.truth.calls()][-2:] == [True, False]


@pytest.mark.parametrize(
    ("over_limit", "status", "has_header"),
    [("429_retry_after", 429, True), ("429", 429, False), ("403", 403, False), ("200", 200, False)],
)
def test_the_answer_beyond_the_limit_is_a_switch(
    start: Start, ask: Ask, over_limit: str, status: int, *, has_header: bool
) -> None:
    """Each holds an error and no rows."""
    sandbox = start(daily_calls=1, over_limit=over_limit)
    ask(sandbox)
    answer = ask(sandbox)
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is has_header
    assert answer.json() == {"error": "The daily limit of calls is reached"}


@pytest.mark.parametrize(
    ("count_day", "free_at"),
    [
        ("UTC", datetime(2026, 1, 2, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 1, 2, 5, tzinfo=UTC)),
        ("Asia/Tokyo", datetime(2026, 1, 1, 15, tzinfo=UTC)),
        ("rolling", datetime(2026, 1, 2, 6, tzinfo=UTC)),
    ],
)
def test_the_count_day_is_a_switch(start: Start, ask: Ask, count_day: str, free_at: datetime) -> None:
    """A call at 06:00 UTC is free again at that zone's midnight, or 24 hours later; Retry-After says when."""
    sandbox = start(daily_calls=1, count_day=count_day)
    sandbox.clock.move(timedelta(hours=6))
    assert ask(sandbox).status_code == 200
    wait = int(ask(sandbox).headers["Retry-After"])
    assert sandbox.clock() + timedelta(seconds=wait) == free_at
    sandbox.clock.set(free_at - timedelta(seconds=1))
    assert ask(sandbox).status_code == 429
    sandbox.clock.set(free_at)
    assert ask(sandbox).status_code == 200


def test_a_rolling_day_frees_one_call_at_a_time(start: Start, ask: Ask) -> None:
    """Each call counts for 24 hours of its own."""
    sandbox = start(daily_calls=2, count_day="rolling")
    ask(sandbox)
    sandbox.clock.move(timedelta(hours=12))
    ask(sandbox)
    sandbox.clock.move(timedelta(hours=12))
    assert [ask(sandbox).status_code for _ in range(2)] == [200, 429]
    assert sandbox.truth.summary().calls_today == 2


def test_another_client_can_use_the_calls_up(start: Start, ask: Ask, client: httpx.Client) -> None:
    """Then a call is refused that this client had left."""
    sandbox = start(daily_calls=10)
    sandbox.use_calls(4)
    assert client.post(sandbox.control_url + "/calls", json={"use": 5}).json() == {"calls_today": 9}
    assert [ask(sandbox).status_code for _ in range(2)] == [200, 429]
