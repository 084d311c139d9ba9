"""`audit.gaps` where a transaction in place is complete and begins anew: what was judged of it before stays so."""

import pytest

from tests.models.one_transaction import BEGUN, PULL, TOLD, completed, gaps, mine
from tests.models.play import HOUR, Raw

LONG_AGO = BEGUN - 6 * HOUR
LATER = PULL[4] + 12 * HOUR
SEEN = "kind, cause, changed_after, opened_at"


@pytest.fixture
def complete(begun: Raw) -> Raw:
    """It was completed before the webhook's first delivery, and the API told it after that."""
    begun.told_by_api(PULL[2], completed(LONG_AGO) | {"date_started": "2025-12-01T00:00:00"})
    begun.begin_load(PULL[3])
    return begun


def test_what_was_completed_before_the_webhook_is_not_owed_once_it_is_opened_again(complete: Raw) -> None:
    """Both tell that it stands at 10 now, which says nothing of when it had been completed."""
    opened = mine(10, date_started="2025-12-01T00:00:00")
    complete.begin_load(PULL[5])
    complete.told_by_webhook(LATER, "progressed", opened)
    complete.told_by_api(PULL[5], opened)
    complete.begin_load(PULL[6])
    assert gaps(complete, SEEN) == []


def test_a_lost_completion_keeps_its_date_when_it_is_completed_again(begun: Raw) -> None:
    """Both tell the second completion, which is no date of the first."""
    begun.told_by_api(PULL[2], completed(TOLD))
    begun.begin_load(PULL[5])
    begun.told_by_webhook(LATER, "completion", completed(LATER))
    begun.told_by_api(PULL[5], completed(LATER))
    begun.begin_load(PULL[6])
    assert gaps(begun, SEEN) == [("missing_webhook", "late", TOLD, PULL[2])]
