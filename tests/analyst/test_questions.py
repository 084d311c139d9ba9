"""`docs/questions.md`: each question can be asked as it stands there, and its answer is true."""

from datetime import timedelta

import pytest

from tests.analyst.expected import ANSWERS, one_story, outages
from tests.analyst.month import Month
from tests.analyst.questions import PAGE, answered, ask, questions
from tests.analyst.truth import Truth


@pytest.fixture(scope="module")
def page() -> str:
    """The page."""
    return PAGE.read_text(encoding="utf-8")


def test_there_are_fifteen_questions(page: str) -> None:
    """Numbered without a hole."""
    assert list(questions(page)) == list(range(1, 16))


def test_the_answers_on_the_page_are_those_of_the_demo(page: str, month: Month) -> None:
    """`python -m tests.analyst.questions` writes them anew."""
    assert answered(page, month.published) == page


@pytest.mark.parametrize("number", ANSWERS)
def test_an_answer_is_what_truly_happened(page: str, month: Month, number: int) -> None:
    """Counted anew from the sandbox's own updates, every row of it; days are told to a tenth, rates to a hundredth."""
    expected = ANSWERS[number](Truth(month))
    found = ask(month.published, questions(page)[number]).rows
    assert len(found) == len(expected)
    for row, true in zip(found, expected, strict=True):
        assert row == tuple(pytest.approx(cell, abs=0.0501) if isinstance(cell, float) else cell for cell in true)


def test_the_outage_is_named_with_what_it_cost(page: str, month: Month) -> None:
    """It is seen from the last push before it to the first after it, so never shorter than what it lost."""
    ((began, ended, cause, updates_lost, completions_lost, missing),) = ask(month.published, questions(page)[3]).rows
    ((start, end),) = outages(Truth(month))
    lost = [one for one in month.updates if one.lost_because == "outage"]
    assert (cause, updates_lost, missing) == ("sender_silent", len(lost), 0)
    assert completions_lost == sum(one.kind == "completion" for one in lost)
    assert start - timedelta(hours=3) < began < start + timedelta(hours=3)
    assert end - timedelta(hours=3) < ended < end + timedelta(hours=3)


def test_the_story_of_one_registration_is_told_step_by_step(page: str, month: Month) -> None:
    """Kind and progress of everything that happened to it, in order."""
    rows = ask(month.published, questions(page)[15]).rows
    assert [row[:2] for row in rows] == one_story(Truth(month))
