"""What the answers to the page's questions must be, counted from what truly happened.

Each function gives the rows of one answer.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from statistics import quantiles
from typing import Any

from progress_pipeline.cli.demo import OUTAGE, RUN_HOUR
from progress_pipeline.sandbox.truth import UpdateTruth
from tests.analyst.truth import DAY, Registration, Truth, monday

Rows = list[tuple[Any, ...]]
ONE_ACTIVITY, ONE_DAY = "Safe Sport", date(2026, 3, 20)


def trust(truth: Truth) -> Rows:
    """Everything is repaired, so both agree up to the settle time."""
    until = datetime(truth.today.year, truth.today.month, truth.today.day, 3)  # noqa: DTZ001 - as DuckDB gives it
    return [(kind, until, "the settle time", 0, 0) for kind in ("completion", "progressed", "started")]


def owed(truth: Truth) -> Rows:
    """What no push told, alone or in the outage."""
    lost = [one for one in truth.updates if one.lost_because is not None]
    causes = Counter(("lost" if one.lost_because == "lost" else "outage") for one in lost)
    completions = Counter(
        ("lost" if one.lost_because == "lost" else "outage") for one in lost if one.kind == "completion"
    )
    return [("missing_webhook", cause, "repaired", causes[cause], completions[cause]) for cause in sorted(causes)]


def states(truth: Truth) -> Rows:
    """Each learner of the activity by the best of their registrations."""
    best: dict[str, str] = {}
    for one in truth.registrations:
        if one.title == ONE_ACTIVITY:
            state = "1. trained" if one.is_completed else "2. on the way" if one.progress else "3. not begun"
            best[one.learner] = min(state, best.get(one.learner, state))
    return sorted(Counter(best.values()).items())


def to_do(truth: Truth) -> Rows:
    """Who is not done, the furthest first."""
    rows = [
        (one.now["firstName"], one.now["lastName"], one.progress, one.moved_at.date(), _idle(truth, one), one.name)
        for one in truth.waiting
        if one.title == ONE_ACTIVITY
    ]
    return [row[:-1] for row in sorted(rows, key=lambda row: (-row[2], -row[4], row[5]))][:6]


def rates(truth: Truth) -> Rows:
    """Registrations and learners who completed."""
    made = []
    for activity, of in _by(truth.registrations, lambda one: one.now["activityId"]).items():
        done = [one for one in of if one.is_completed]
        learners, able = {one.learner for one in of}, {one.learner for one in done}
        share = len(able) / len(learners)
        row = (of[0].title, len(of), len(done), round(len(done) / len(of), 2), len(learners), round(share, 2))
        made.append((-share, activity, row))
    return [row for *_, row in sorted(made)]


def times(truth: Truth) -> Rows:
    """Median and 90th percentile of the days."""
    made = []
    for activity, of in _by(truth.registrations, lambda one: one.now["activityId"]).items():
        days = [one.days for one in of if one.days is not None]
        undated = sum(one.is_completed and one.now["dateStarted"] is None for one in of)
        if len(days) >= 10:
            tenths = quantiles(days, n=10, method="inclusive")
            made.append((tenths[4], activity, (of[0].title, len(days), tenths[4], tenths[8], undated)))
    return [row for *_, row in sorted(made)]


def weeks(truth: Truth) -> Rows:
    """What happened in each week; a step without a date of the vendor's counts when it was told."""
    started = Counter(monday(one.now["dateStarted"].date()) for one in truth.registrations if one.now["dateStarted"])
    moved = Counter(monday(_told_at(one).date()) for one in truth.updates if one.kind == "progressed")
    done = Counter(monday(one.happened_at.date()) for one in truth.updates if one.kind == "completion")
    return [(week, started[week], moved[week], done[week]) for week in sorted(started | moved | done)]


def funnel(truth: Truth) -> Rows:
    """How many came at least so far."""
    far = [100.0 if one.is_completed else one.progress for one in truth.registrations]
    done = sum(one.is_completed for one in truth.registrations)
    return [(len(far), *(sum(test(one) for one in far) for test in _STEPS), done)]


_STEPS: tuple[Callable[[float], bool], ...] = (lambda far: far > 0, lambda far: far >= 50, lambda far: far >= 100)


def cohorts(truth: Truth) -> Rows:
    """Those of a week that completed within seven days, where all had them."""
    made = []
    for week, of in sorted(_by(truth.registrations, lambda one: one.week).items()):
        if week + timedelta(days=14) <= truth.today:
            quick = sum(one.days is not None and one.days <= 7 for one in of)
            made.append((week, len(of), quick, round(quick / len(of), 2)))
    return made


def still(truth: Truth) -> Rows:
    """Where nothing moved for two weeks."""
    idle = [one for one in truth.waiting if _idle(truth, one) >= 14]
    rows = [
        (title, len(of), len({one.learner for one in of}), max(_idle(truth, one) for one in of))
        for title, of in _by(idle, lambda one: one.title).items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:6]


def certificates(truth: Truth) -> Rows:
    """How many are in which state."""
    states = ("lapsed", "within_30", "within_60", "within_90", "current", "renewed")
    rows = []
    for title, of in _by(truth.certificates, lambda one: one.title).items():
        counted = Counter(truth.state(one) for one in of)
        rows.append((title, *(counted[state] for state in states)))
    return sorted(rows, key=lambda row: (*(-count for count in row[1:5]), row[0]))


def due(truth: Truth) -> Rows:
    """Those that end next."""
    ending = [one for one in truth.certificates if truth.state(one).startswith("within")]
    ending.sort(key=lambda one: (one.valid_until, one.code))
    return [(*one.names, one.title, one.valid_until, (one.valid_until - truth.today).days) for one in ending[:5]]


def trained_then(truth: Truth) -> Rows:
    """Who held a certificate on the day."""
    valid = [one for one in truth.certificates if one.valid_from <= ONE_DAY <= one.valid_until]
    rows = [(title, len({one.learner for one in of})) for title, of in _by(valid, lambda one: one.title).items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:5]


def one_story(truth: Truth) -> Rows:
    """The last that completed in several steps: what happened, and how far it was."""
    long = [one for one in truth.registrations if one.is_completed and len(one.updates) >= 4]
    last = max(long, key=lambda one: (one.moved_at, [-ord(letter) for letter in one.name]))
    kinds = {"started": "started", "progressed": "progressed", "completion": "completed"}
    return [(kinds[one.kind], float(one.record["progress"])) for one in last.updates]


def outages(_: Truth) -> Rows:
    """The one that was played, to the hour."""
    return [(OUTAGE.start.replace(tzinfo=None), OUTAGE.end.replace(tzinfo=None))]


def _told_at(one: UpdateTruth) -> datetime:
    """Give when a change was told first, which is all that is known of it: by push, or else by the next run."""
    if one.delivered_at is not None:
        return one.delivered_at
    run = one.happened_at.replace(hour=0, minute=0, second=0, microsecond=0) + RUN_HOUR
    return run if run > one.happened_at else run + DAY


def _idle(truth: Truth, one: Registration) -> int:
    return (truth.today - one.moved_at.date()).days


def _by(things: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    grouped: dict[Any, list[Any]] = defaultdict(list)
    for one in things:
        grouped[key(one)].append(one)
    return grouped


ANSWERS: dict[int, Callable[[Truth], Rows]] = {
    1: trust,
    2: owed,
    4: states,
    5: to_do,
    6: rates,
    7: times,
    8: weeks,
    9: funnel,
    10: cohorts,
    11: still,
    12: certificates,
    13: due,
    14: trained_then,
}
"""The questions whose answers can be told in full from what happened."""
