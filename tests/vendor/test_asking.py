"""How a run's asking ends when the vendor does not answer as it should, and how the next one goes on."""

from datetime import timedelta

import pytest

from progress_pipeline.errors import TokenRefusedError
from progress_pipeline.sandbox.config import Span
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asking import carry_out
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.windows import Window, subtract
from tests.vendor.conftest import MakeLedger, MakePlay
from tests.vendor.playing import Play
from tests.vendor.scripted import PAGE, QUESTION, scripted


def _is_covered(play: Play) -> bool:
    return not subtract(Window(play.sandbox.config.start_at, play.now), (one.window for one in play.proven))


def test_maintenance_for_a_day_costs_some_calls_and_nothing_else(make_play: MakePlay) -> None:
    """Four tries of two asks, then the run says that the vendor is not there; the run after covers both days."""
    play = make_play()
    play.play(5)
    play.sandbox.change(maintenance=(Span(play.now, play.now + timedelta(hours=20)),))
    day = play.run()
    assert day.outcome is not None
    assert (day.outcome.how, day.outcome.calls, len(day.calls)) == ("unavailable", 8, 8)
    assert {attempt.reason for attempt in day.attempts} == {str(day.outcome.error)}
    play.sandbox.clock.move(timedelta(days=1))
    after = play.run()
    assert after.outcome is not None
    assert after.outcome.how == "done"
    assert _is_covered(play)
    assert not play.differing()


def test_calls_that_another_client_used_are_believed_and_the_next_day_goes_on(make_play: MakePlay) -> None:
    """The vendor refuses the third call of a fill: none leaves for a day, and the day after covers all."""
    play = make_play(page_size=5)
    play.sandbox.clock.move(timedelta(days=20))
    play.sandbox._api.use_calls(498)
    day = play.run()
    assert day.outcome is not None
    assert day.outcome.how == "limit_refused"
    assert day.outcome.calls == len(day.calls) == 3
    assert [attempt.is_complete for attempt in day.attempts] == [False]
    play.sandbox.clock.move(timedelta(hours=1))
    assert not play.run().calls
    play.sandbox.clock.move(timedelta(days=1))
    play.run()
    assert _is_covered(play)
    assert not play.differing()
    assert not play.wrong_claims


def test_a_refused_token_ends_the_run_at_the_first_call(make_play: MakePlay) -> None:
    """What came before it is handed on; nothing is asked again."""
    play = make_play()
    play.play(3)
    rows, calls = len(play.rows), len(play.sandbox._api.calls)
    play.sandbox.token = "another"
    with pytest.raises(TokenRefusedError, match="PROGRESS_API_TOKEN"):
        play.run()
    assert len(play.sandbox._api.calls) == calls + 1
    assert len(play.rows) == rows


@pytest.mark.parametrize(("cap", "kept"), [(None, 30), (100, 100)])
def test_what_is_asked_again_keeps_the_calls_that_it_takes(make_ledger: MakeLedger, cap: int | None, kept: int) -> None:
    """6,400 rows are 8 pages of 1,000, or 80 of the 100 records that the vendor was found to give."""
    ledger = make_ledger()
    answers = Answers.load(ledger)
    if cap is not None:
        answers.learn("page_cap", cap, "a probe")
    client, _ = scripted(ledger, (200, PAGE))
    with client:
        before = ledger.left(Purpose.DAILY)
        carry_out(client, [Ask(Purpose.RECHECK, QUESTION.window, expected_rows=6400)], answers=answers, page_size=1000)
        assert ledger.left(Purpose.DAILY) - before == 100 - kept
