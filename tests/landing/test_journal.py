"""The journal tells every refusal, equal ones as one, and cannot be made to fill the disk."""

from datetime import datetime, timedelta
from pathlib import Path

from progress_pipeline.landing import layout
from progress_pipeline.landing.finding import find_files
from progress_pipeline.landing.journal import LARGEST_JOURNAL, RefusalJournal, write_journal
from progress_pipeline.landing.reading import LandedRefusal, read_file


class Hand:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.at


def test_equal_refusals_are_told_as_one_span(now: datetime) -> None:
    """From the first to the last, with their number."""
    clock = Hand(now)
    journal = RefusalJournal(clock)
    for second in range(3):
        clock.at = now + timedelta(seconds=second)
        journal.note("192.0.2.1", 401, "no token")
    journal.note("192.0.2.1", 401, "wrong token")
    first, second_kind = journal.take()
    assert (first.refused_at, first.until_at, first.refusal_count) == (now, clock.at, 3)
    assert second_kind.refusal_count == 1
    assert first.refusal_id != second_kind.refusal_id
    assert journal.take() == []


def test_a_flood_from_many_addresses_stays_small_and_loses_no_count(now: datetime) -> None:
    """Beyond the bound, clients are no longer told apart; reasons are."""
    journal = RefusalJournal(Hand(now))
    for number in range(10_000):
        journal.note(f"192.0.2.{number}", 401, "no token")
    refusals = journal.take()
    assert len(refusals) == LARGEST_JOURNAL + 1
    assert sum(refusal.refusal_count for refusal in refusals) == 10_000
    assert refusals[-1].client is None


def test_what_could_not_be_written_is_kept_for_the_next_time(now: datetime) -> None:
    """Put back, it joins what came since."""
    journal = RefusalJournal(Hand(now))
    journal.note("a", 401, "no token")
    taken = journal.take()
    journal.note("a", 401, "no token")
    journal.put_back(taken)
    (refusal,) = journal.take()
    assert refusal.refusal_count == 2


def test_a_landed_journal_is_read_back_as_it_was_noted(landing: Path, now: datetime) -> None:
    """Sealed like a segment, under a name that tells what it is."""
    journal = RefusalJournal(Hand(now))
    journal.note(None, None, "handshake: too slow or broken off")
    noted = journal.take()
    sealed = write_journal(landing, noted, clock=Hand(now))
    assert sealed.parent == landing / "dt=2026-11-23" / "hh=06"
    (file,) = find_files(landing, known={})
    assert file.kind == layout.JOURNAL
    read = list(read_file(landing, file, now=now))
    assert read == noted
    assert isinstance(read[0], LandedRefusal)
    assert list((landing / layout.OPEN_FOLDER).iterdir()) == []
