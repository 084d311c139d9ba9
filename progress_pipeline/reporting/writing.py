"""Writing the report: read, draw, fill the template, put in place.

Every value passes the template's escaping; only charts and the style sheet, both our own, are marked as safe.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from math import ceil
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from progress_pipeline.errors import PublishError
from progress_pipeline.reporting import charts
from progress_pipeline.reporting.charts import clean
from progress_pipeline.reporting.keeping import keep_page, remove_leftovers
from progress_pipeline.reporting.reading import Told, read

_STATES = ("lapsed", "within 30 days", "within 60 days", "within 90 days", "current", "for ever", "renewed")
_LONGEST_CELL = 200
PAGES_KEPT = 30
"""Pages among the versions: a month of daily runs takes some megabytes at the most."""

_WRITTEN = 6
"""Of how many days the label is written at the most."""


@dataclass(frozen=True)
class Verdict:
    """Whether the numbers can be trusted, in a sentence."""

    is_good: bool
    title: str
    text: str


def write_report(
    published: Path, report: Path, *, calls: Mapping[str, int] | None = None, keep: int = PAGES_KEPT
) -> Path:
    """Write the report of a published file, whole or not at all, and keep it among the versions.

    Args:
        published: The published file.
        report: The page to put in place.
        calls: Calls to the vendor: how many were made and are left today.
        keep: How many pages stand in the folder `versions` beside it, this one among them; 0 for none.

    Returns:
        The page.

    Raises:
        PublishError: The page could not be written, or not be kept; the published file stands as it is.
    """
    told = read(published)
    page = render(told, published.name, calls or {})
    aside = report.with_name(f".{report.name}.{os.getpid()}.building")
    try:
        remove_leftovers(report)
        aside.write_text(page, encoding="utf-8")
        aside.replace(report)
        keep_page(report, told.facts["version"], escape(told.facts["personal_data"]), keep)
    except OSError as error:
        remove_leftovers(report)
        raise PublishError(
            f"{published} is new and whole, but the report beside it could not be written: {error}. Mend that and run "
            "again; until then the page and those kept of it may still tell of the version before."
        ) from error
    return report


def render(told: Told, file: str, calls: Mapping[str, int]) -> str:
    """Give the page as HTML."""
    certificates = [(state, told.certificates[state]) for state in _STATES if state in told.certificates]
    drawn = {
        "happened": charts.bars(
            [_short(day) for day, *_ in told.happened],
            [(name, [row[place] for row in told.happened]) for place, name in _PLACES],
            every=max(1, ceil(len(told.happened) / _WRITTEN)),
        ),
        "funnel": charts.rows(
            [step for step, _ in told.funnel], [("registrations", [count for _, count in told.funnel])]
        ),
        "certificates": charts.rows(
            [state for state, _ in certificates], [("certificates", [count for _, count in certificates])]
        ),
        "health": charts.bars(
            [_short(day) for day, *_ in told.health],
            [
                ("told by webhook", [row[1] for row in told.health]),
                ("not told in time", [row[2] for row in told.health]),
            ],
            every=max(1, ceil(len(told.health) / _WRITTEN)),
        ),
    }
    return _template().render(
        told=told,
        file=file,
        charts=drawn,
        certificates=certificates,
        verdict=judge(told),
        numbers=_numbers(told, calls),
    )


_PLACES = ((1, "started"), (2, "progressed"), (3, "completed"))


def judge(told: Told) -> Verdict:
    """Say whether the numbers can be trusted."""
    open_count = told.gaps.get("open", 0)
    agreed = [until for _, until, _ in told.watermarks]
    brought = told.gaps.get("repaired", 0)
    told_of = [f"{_plural(brought, 'gap was', 'gaps were')} found and repaired so far."] if brought else []
    if suspected := told.gaps.get("suspected", 0):
        told_of.append(f"{_plural(suspected, 'more is', 'more are')} suspected, and not judged before the settle time.")
    history = " ".join(told_of)
    if not agreed or None in agreed:
        why = told.watermarks[0][2] if told.watermarks else "there was no run"
        return Verdict(
            is_good=False, title="There is nothing yet to hold the numbers against", text=f"{clean(why).capitalize()}."
        )
    until = f"API and webhook agree on everything before {_instant(min(agreed))}."
    if open_count:
        title = f"{_plural(open_count, 'thing is', 'things are')} known to be missing"
        return Verdict(is_good=False, title=title, text=f"{until} {history} The open gaps are named below.")
    return Verdict(is_good=True, title="Nothing is known to be missing", text=f"{until} {history}")


def _numbers(told: Told, calls: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Give the numbers at the head of the page: name, value, and how bad it is."""
    soon = sum(told.certificates.get(f"within {days} days", 0) for days in (30, 60, 90))
    lapsed, missing = told.certificates.get("lapsed", 0), told.gaps.get("open", 0)
    numbers = [(name, f"{count:,}", "") for name, count in told.counts.items()]
    if told.has_validities:
        numbers += [
            ("certificates end within 90 days", f"{soon:,}", "warn" if soon else ""),
            ("certificates lapsed", f"{lapsed:,}", "bad" if lapsed else ""),
        ]
    numbers.append(("gaps open", f"{missing:,}", "bad" if missing else ""))
    if calls:
        numbers.append((f"calls to the API left of {calls['granted']:,}", f"{calls['left']:,}", ""))
    return numbers


@cache
def _template() -> Template:
    folder = files("progress_pipeline.reporting")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    css = Markup(folder.joinpath("page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own style sheet
    environment.globals.update(cell=_cell, day=_day, instant=_instant, css=css, zip=zip)
    return environment.from_string(folder.joinpath("page.html.jinja").read_text(encoding="utf-8"))


def _cell(value: object, kind: str) -> Markup | str:
    """Write a value into a cell; a text keeps its own direction and lets nobody else's be turned."""
    if kind == "p" and isinstance(value, float):
        bar = Markup('{}<span class="rate" aria-hidden="true"><i style="width:{}%"></i></span>')
        return bar.format(f"{value:.0%}", round(100 * value))
    if isinstance(value, str):
        text = clean(value, _LONGEST_CELL)
        return Markup('<bdi class="cut">{}</bdi>').format(text) if kind in {"t", "w"} else text.replace("_", " ")
    return _plain(value)


def _plain(value: object) -> str:
    """Write a value that is no text."""
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, float) and value % 1:
        return f"{value:,.1f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else "none"


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _instant(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y, %H:%M}"


def _plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
