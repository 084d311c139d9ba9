"""The report: one page that stands alone, tells what the published file tells, and lets no name do anything."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.errors import PublishError
from progress_pipeline.ingest.raw_tables import RAW_TABLES, ddl
from progress_pipeline.reporting.charts import bars, clean, rows, ticks
from progress_pipeline.reporting.keeping import keep_page, take_away
from progress_pipeline.reporting.writing import write_report
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.personal import PersonalData, Privacy
from progress_pipeline.warehouse.publishing import Form, publish
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

AS_OF = datetime(2026, 1, 12, 5, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>\x00\u202e{{ 7 * 7 }}</style>"


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and what it says."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with a hostile learner in a hostile activity, and something in every part of the report."""
    path = tmp_path_factory.mktemp("report") / "progress.duckdb"
    code = "1b50007d-5d2f-4832-a5f5-000000000001"
    one = record(
        first_name=HOSTILE, last_name="=cmd|' /C calc'!A0", activity_title=HOSTILE, progress=100,
        date_completed="2026-01-03T08:00:00", completion_code=code,
    )  # fmt: skip
    two = record(transaction_id=2, registration="r-2", first_name=HOSTILE, activity_title=HOSTILE, progress=50)
    with connect(path) as connection:
        raw = Raw(connection)
        raw.told_by_api(FIRST_DAY + 11 * DAY + 5 * HOUR, one, two)
        raw.told_by_webhook(FIRST_DAY + 2 * DAY + 9 * HOUR, "completion", one)
        raw.insert("activity_validities", [{"position": 0, "activity_id": "*", "valid_months": 2}])
        build(raw.connection, read_models(SQL_FOLDER))
    return path


def page(warehouse: Path, folder: Path, privacy: Privacy | None = None) -> str:
    """Publish, and give the report."""
    published = folder / "progress.duckdb"
    publish(warehouse, published, read_models(SQL_FOLDER), as_of=AS_OF, form=Form(privacy or Privacy()))
    report = write_report(published, folder / "report.html", calls={"left": 499, "granted": 500})
    return report.read_text(encoding="utf-8")


def test_a_hostile_name_is_only_text(warehouse: Path, tmp_path: Path) -> None:
    """It makes no element, ends no style sheet, runs no template, turns no line, and is still told."""
    text = page(warehouse, tmp_path)
    made = Page(text)
    assert not {"script", "img", "iframe", "object", "embed", "form"} & set(made.tags)
    assert made.tags.count("style") == 1
    assert [name for name, _ in made.attributes if name.startswith("on")] == []
    assert any("<script>alert('x')</script>" in told and "{{ 7 * 7 }}" in told for told in made.texts)
    assert not {"\x00", "\u202e"} & set(text)


def test_nothing_is_asked_of_a_network(warehouse: Path, tmp_path: Path) -> None:
    """No address but fragments of the page itself, and a policy that allows none."""
    made = Page(page(warehouse, tmp_path))
    links = [
        value or "" for name, value in made.attributes if name in {"href", "src", "srcset", "action", "xlink:href"}
    ]
    assert [link for link in links if not link.startswith(("#", "data:,"))] == []
    assert "url(" not in "".join(made.texts)
    assert any(value and value.startswith("default-src 'none'") for _, value in made.attributes)


def test_it_tells_what_the_file_tells(warehouse: Path, tmp_path: Path) -> None:
    """Counts, calls, the watermark's state and the certificate that ends; each chart has its numbers below."""
    text = page(warehouse, tmp_path)
    told = " ".join(" ".join(Page(text).texts).split())
    for expected in ("1 learners", "499", "12 Jan 2026, 05:00", "3 Mar 2026", "within 60 days", "20260112T050000Z"):
        assert expected.split()[0] in told
    assert "3 Mar 2026" in told
    assert len(re.findall(r"<svg", text)) == len(re.findall(r"<details>", text)) == 4
    assert text.count("<table>") >= 8


def test_where_persons_are_not_told_the_report_tells_none(warehouse: Path, tmp_path: Path) -> None:
    """It has no more than the file has; what needs persons is left out."""
    for privacy in (Privacy(PersonalData.NONE), Privacy(PersonalData.PSEUDONYMS, b"a key of some length")):
        text = page(warehouse, tmp_path / privacy.personal_data.value, privacy)
        assert "cmd|" not in text
        assert "r-2" in text or "p-" in text


def test_a_project_without_data_has_a_report_too(tmp_path: Path) -> None:
    """Before the first run that brings something, every part says that there is nothing."""
    path = tmp_path / "empty.duckdb"
    with connect(path) as connection:
        connection.execute("create schema raw")
        for table in RAW_TABLES:
            connection.execute(ddl(table))
        build(connection, read_models(SQL_FOLDER))
    text = page(path, tmp_path)
    assert "Nothing to show yet." in text
    assert "<svg" not in text


def test_the_same_file_makes_the_same_page(warehouse: Path, tmp_path: Path) -> None:
    """Nothing random, and no time of its own."""
    assert page(warehouse, tmp_path / "a") == page(warehouse, tmp_path / "b")


def test_long_histories_are_told_by_week(warehouse: Path, tmp_path: Path) -> None:
    """A year at the most, every week of it, whether something happened or not."""
    page(warehouse, tmp_path)
    path = tmp_path / "progress.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("insert into marts.agg_activity_daily values ('a', date '2024-03-01', 7, 0, 0, 7)")
        connection.execute("insert into marts.agg_activity_daily values ('a', date '2025-03-01', 3, 0, 0, 3)")
    text = write_report(path, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "each week" in text
    assert "24 Feb 2025" in text
    assert "1 Mar 2024" not in text


@pytest.mark.parametrize(
    ("top", "expected"), [(1, [0, 1]), (4, [0, 1, 2, 3, 4]), (87, [0, 20, 40, 60, 80, 100]), (5, [0, 1, 2, 3, 4, 5])]
)
def test_axes_bear_round_numbers(top: int, expected: list[int]) -> None:
    """From nought to just beyond the greatest."""
    assert ticks(top) == expected


def test_a_chart_of_nothing_is_none() -> None:
    """Neither without labels nor with noughts alone."""
    assert bars([], [("a", [])]) is None
    assert rows(["x"], [("a", [0])]) is None


def test_a_label_is_one_line_of_what_can_be_seen() -> None:
    """Joiners stay, for they are part of how words are spelled."""
    assert clean("a\n\tb\x1b[31m\u2066c") == "a b[31mc"
    assert clean("می\u200cشود") == "می\u200cشود"
    assert clean("x" * 50, 10) == "x" * 9 + "…"


def test_what_others_put_among_the_kept_pages_fails_no_run(tmp_path: Path) -> None:
    """Bytes that are no text are no page of ours and are let go of, as any that may name persons; a folder stays."""
    report, versions = tmp_path / "report.html", tmp_path / "versions"
    report.write_text("of all persons", encoding="utf-8")
    versions.mkdir()
    (versions / "report-20260101T000000Z.html").write_bytes(b"\xff")
    (versions / "report-20260102T000000Z.html").mkdir()
    keep_page(report, "20260103T000000Z", "of all persons", 3)
    assert [page.name for page in sorted(versions.iterdir())] == [
        "report-20260102T000000Z.html",
        "report-20260103T000000Z.html",
    ]


def test_a_page_that_cannot_be_put_in_place_is_named_and_leaves_nothing(warehouse: Path, tmp_path: Path) -> None:
    """A folder in its place ends the run with a sentence, whether a report is wanted or not; no half page stays."""
    (tmp_path / "report.html" / "of somebody").mkdir(parents=True)
    with pytest.raises(PublishError, match=r"progress\.duckdb is new and whole.*report\.html.*run again"):
        page(warehouse, tmp_path)
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(PublishError, match=r"report\.html.*Move it away and run again"):
        take_away(tmp_path / "report.html")


def test_what_a_killed_run_left_of_a_page_is_removed(warehouse: Path, tmp_path: Path) -> None:
    """It may name persons, whom the next page or none at all is to leave out."""
    left = tmp_path / ".report.html.1.building"
    left.write_text("of all persons", encoding="utf-8")
    page(warehouse, tmp_path, Privacy(PersonalData.NONE))
    assert not left.exists()
    left.write_text("of all persons", encoding="utf-8")
    take_away(tmp_path / "report.html")
    assert not left.exists()
