"""Every number on the report's page is the one that the published file gives when it is asked."""

from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from progress_pipeline.reporting.writing import write_report
from tests.analyst.month import Month
from tests.analyst.questions import ask

Table = list[list[str]]
FULL = "Names, addresses and member identifiers stand here as told. Keep this file accordingly."
ASKED = {
    "How far both witnesses agree": "select update_kind, agreed_until, held_by from audit.watermarks order by 1 desc",
    "Progress and completions over time": """
        select activity_day, sum(started_count), sum(progressed_count), sum(completed_count)
        from marts.agg_activity_daily group by all order by all""",
    "By week of the start": """
        select date_trunc('week', coalesce(started_at, completed_at, first_told_at))::date as week,
            count(*) filter (is_completed) / count(*), count(*) filter (is_completed), count(*),
            count(*) filter (is_completed or progress_percent > 0),
            count(*) filter (is_completed or progress_percent >= 50)
        from marts.fct_progress group by week order by week desc""",
    "Activities": """
        select activity_title, count(*) filter (is_completed) / count(*), count(*) filter (is_completed), count(*),
            quantile_cont(case when completed_at >= started_at then epoch(completed_at - started_at) / 86400 end, 0.5),
            quantile_cont(case when completed_at >= started_at then epoch(completed_at - started_at) / 86400 end, 0.9),
            (select count(*) from marts.fct_unfinished as w
             where w.activity_title = p.activity_title and not is_completed_elsewhere),
            (select count(*) from marts.fct_unfinished as w
             where w.activity_title = p.activity_title and not is_completed_elsewhere and idle_days >= 30)
        from marts.fct_progress as p group by activity_title order by 4 desc, 1""",
    "Certificates ending next": """
        select first_name || ' ' || last_name, activity_title, valid_until, valid_until - date '2026-03-31'
        from marts.fct_certifications where status = 'expiring' order by valid_until, completion_id limit 15""",
    "Standing still for longest": """
        select first_name || ' ' || last_name, activity_title, date '2026-03-31' - last_moved_at::date,
            progress_percent, last_moved_at::date
        from marts.fct_unfinished where not is_completed_elsewhere order by 3 desc, registration_id limit 15""",
    "Health of the webhook": """
        select day_utc, webhook_count, missing_on_webhook_count from audit.coverage_daily order by 1""",
    "When the webhook was silent": """
        select started_at, ended_at, replace(cause, '_', ' '), updates_lost, still_missing_count
        from audit.webhook_outages order by 1 desc""",
}


class Page(HTMLParser):
    """The page's tables by what they are called, and its numbers at the head by theirs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self.numbers: dict[str, str] = {}
        self._name, self._term = "", ""
        self._texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        label = dict(attrs).get("aria-label") or ""
        if label.endswith(", table"):
            self._name = label.removesuffix(", table")
            self.tables[self._name] = []
        if tag == "tr":
            self.tables[self._name].append([])
        if tag in {"td", "th", "dt", "dd"}:
            self._texts = []

    def handle_data(self, data: str) -> None:
        """Keep a cell's text."""
        self._texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        told = "".join(self._texts).strip()
        if tag in {"td", "th"}:
            self.tables[self._name][-1].append(told)
        elif tag == "dt":
            self._term = told
        elif tag == "dd":
            self.numbers[self._term] = told


@pytest.fixture(scope="module")
def page(month: Month, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The month's report."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(month.published, path, calls={"left": 12, "granted": 500}, keep=0)
    return Page(path.read_text(encoding="utf-8"))


def written(value: Any) -> str:
    """Write a value as a person reads it."""
    if isinstance(value, datetime):
        return f"{value.day} {value:%b %Y, %H:%M}"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, float):
        return f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


@pytest.mark.parametrize("name", ASKED)
def test_a_table_says_what_the_file_says(page: Page, month: Month, name: str) -> None:
    """Row for row; shares in whole per cent; of days without anything a nought for each."""
    head, *rows = page.tables[name]
    shares = [place for place, title in enumerate(head) if title.startswith("Share")]
    expected = [
        [f"{cell:.0%}" if place in shares else written(cell) for place, cell in enumerate(row)]
        for row in ask(month.published, ASKED[name]).rows
    ]
    assert [row for row in rows if set(row[1:]) != {"0"}] == [row for row in expected if set(row[1:]) != {"0"}]


def test_the_small_charts_say_what_the_file_says(page: Page, month: Month) -> None:
    """The funnel by registrations; certificates by state, each once."""
    steps = """
        select count(*), count(*) filter (is_completed or progress_percent > 0),
            count(*) filter (is_completed or progress_percent >= 50),
            count(*) filter (is_completed or progress_percent >= 100), count(*) filter (is_completed)
        from marts.fct_progress"""
    (counts,) = ask(month.published, steps).rows
    assert [row[1] for row in page.tables["From start to completion"][1:]] == [written(count) for count in counts]
    told = {state: int(count) for state, count in page.tables["Certificates that expire"][1:]}
    states = ask(month.published, "select status, count(*) from marts.fct_certifications group by all").rows
    within = sum(told.pop(f"within {days} days", 0) for days in (30, 60, 90))
    assert {**told, "expiring": within} == {state: count for state, count in states}  # noqa: C416 - rows have any length


def test_the_numbers_at_the_head_are_the_files(page: Page, month: Month) -> None:
    """Counts, certificates, gaps, and the calls that the run was left with."""
    asked = {
        "learners": "select count(distinct learner_id) from marts.fct_progress",
        "registrations": "select count(*) from marts.fct_progress",
        "completions": "select count(*) from marts.fct_completions",
        "certificates end within 90 days": "select count(*) from marts.fct_certifications where status = 'expiring'",
        "certificates lapsed": "select count(*) from marts.fct_certifications where status = 'lapsed'",
        "gaps open": "select count(*) from audit.gaps where status = 'open'",
        "calls to the API left of 500": "select 12",
    }
    assert page.numbers == {name: written(ask(month.published, sql).rows[0][0]) for name, sql in asked.items()}


def test_pages_of_earlier_runs_stay_until_there_are_too_many(month: Month, tmp_path: Path) -> None:
    """Each by its instant, beside the versions of the file; the newest is the page itself."""
    for name in ("report-20260328T050000Z.html", "report-20260329T050000Z.html", "report-notes.html"):
        (tmp_path / "versions").mkdir(exist_ok=True)
        (tmp_path / "versions" / name).write_text(f"an earlier page. {FULL}", encoding="utf-8")
    report = write_report(month.published, tmp_path / "report.html", keep=2)
    assert FULL in report.read_text(encoding="utf-8")
    kept = sorted(path.name for path in (tmp_path / "versions").iterdir())
    assert kept == ["report-20260329T050000Z.html", "report-20260331T050000Z.html", "report-notes.html"]
    assert (tmp_path / "versions" / "report-20260331T050000Z.html").read_bytes() == report.read_bytes()
