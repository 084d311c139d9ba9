"""Every switch of the sandbox, in one frozen value.

Each open question of the vendor's page is a switch here, each odd value it was seen to send, and each fault that a
test may plant. The defaults are the kindest vendor that fits the page. Nothing here acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin

from progress_pipeline.clock import is_zone
from progress_pipeline.errors import UsageError

TransportFault: TypeAlias = Literal[
    "timeout",
    "reset",
    "half_answer",
    "html",
    "wrong_content_type",
    "cut_json",
    "huge",
    "empty_page",
    "short_page",
    "500",
    "502",
    "503",
    "429",
]
"""What can befall one call: each is what the client sees in place of a good answer."""

WitnessFault: TypeAlias = Literal[
    "push_lost",
    "push_late",
    "push_twice",
    "push_reordered",
    "push_garbled",
    "push_differs",
    "api_withheld",
    "api_never",
    "api_garbled",
    "api_contradicts",
]
"""What can befall one update on its way to one witness."""

OddFact: TypeAlias = Literal["falling_progress", "progress_out_of_range", "completion_uncoded", "completion_undated"]
"""What can be wrong with an update itself, so that both witnesses tell it so."""


@dataclass(frozen=True)
class Span:
    """A span of simulated time, [start, end)."""

    start: datetime
    end: datetime

    def holds(self, instant: datetime) -> bool:
        """Say whether an instant lies in it."""
        return self.start <= instant < self.end


@dataclass(frozen=True)
class Planted:
    """One fault on one thing: on one update, or on all updates told under one transaction.

    Attributes:
        fault: What befalls it.
        transaction_id: The vendor's transaction; with transactions in place, all updates of the registration.
        update_id: The one update, counted from 1 in the order of happening.
    """

    fault: WitnessFault | OddFact
    transaction_id: int | None = None
    update_id: int | None = None


@dataclass(frozen=True)
class WorldSwitches:
    """What happens in the world that the vendor sees. None of these can change while a sandbox runs."""

    seed: int = 0  # everything made up follows from it
    registrations: int = 500  # how many learners' instances of an activity; 10 to 100,000 are quick
    activities: int = 12  # how many activities there are
    start_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)  # first instant of the events
    days: int = 60  # span of the events, from start_at
    clock_at: datetime | None = None  # what the clock says at first; start_at if unset; earlier updates are not pushed
    milliseconds: bool = False  # whether things happen at milliseconds; without, at whole seconds
    member_identifier: Literal["given", "some", "absent"] = "some"  # for all made-up learners, most of them, or none
    undated_share: float = 0.01  # made-up registrations without dateStarted
    renamed_share: float = 0.0  # learners whose last name changes within the span; later updates carry the new one
    retitled_share: float = 0.0  # activities whose title changes the same way
    respelled_share: float = 0.0  # registrations told under another spelling of the same e-mail address and first name
    hostile_share: float = 0.0  # learners whose names are markup, formulas, control characters or 100 long
    records_file: Path | None = None  # Parquet with the 12 fields, served in place of a made-up world
    records_unfold: bool = False  # from given records: a start at 0 % and the final state, in place of the latter alone
    transactions: Literal["per_update", "in_place"] = "per_update"  # a transactionId per update, or per registration
    first_transaction_id: int = 9001  # where transaction ids begin
    odd_codes_share: float = 0.0  # completions whose code is "Fake Code"
    odd_registrations_share: float = 0.0  # registrations whose id is no valid UUID
    odd_facts: Mapping[OddFact, float] = field(default_factory=dict)  # share of updates that are wrong in themselves
    junk_rows: int = 0  # things that are no record, spread over the span and counted and paged as rows are


@dataclass(frozen=True)
class ApiSwitches:
    """How the API takes a question and gives its answer."""

    token: str = ""  # the API's token; made from the seed if empty
    wrong_token_status: Literal[401, 403, 200] = 401  # answer to a wrong token; 200 comes with an error body
    daily_calls: int = 500  # calls in a count day
    count_day: str = "UTC"  # when that day begins: a zone's midnight, or "rolling" for any 24 hours
    over_limit: Literal["429_retry_after", "429", "403", "200"] = "429_retry_after"  # answer beyond them
    # The date that the range is held against; the last is the completion where there is one, and else the start.
    filter_on: Literal["last_change", "started", "completed", "completed_or_started"] = "last_change"
    start_is: Literal["inclusive", "exclusive"] = "inclusive"  # whether startDate itself is in
    end_is: Literal["inclusive", "exclusive"] = "exclusive"  # whether endDate itself is in
    dates_read_in: str = "UTC"  # the zone in which a request's dates are read; other than UTC, `Z` is ignored
    dates_cut_to: Literal["instant", "second", "day"] = "instant"  # to what both sides are cut before comparing
    dates_required: bool = False  # whether a request without startDate and endDate is refused with 400
    takes_future: bool = True  # whether an endDate after the present is taken, or refused with 400
    longest_range_days: int | None = None  # a longer range is refused with 400
    undated: Literal["in", "out"] = "in"  # rows without the date that is filtered on
    start_counts: Literal["rows", "pages", "ignored"] = "rows"  # the unit of `start`, from 0
    default_number: int = 100  # `number` where the request has none
    page_cap: int | None = None  # most rows in an answer, silently
    most_records: int | None = None  # a larger `number` is refused with 400
    sort_transaction_id: Literal["accepted", "ignored", "error"] = "accepted"  # `sort` by transactionId
    ties: Literal["stable", "shuffled"] = (
        "stable"  # order of rows whose sort keys are equal; shuffled anew at each call
    )
    listed: Literal["all", "newest"] = "all"  # with a transaction per update: all of a registration's, or the newest
    answer_delay_seconds: float = 0.0  # real time before each answer


@dataclass(frozen=True)
class FormSwitches:
    """How an answer and a record are written down."""

    envelope: Literal["rows", "array", "object"] = "rows"  # {count, rows}; bare array; bare object for one record
    count: Literal["total", "page", "missing"] = "total"  # what `count` is: over all pages, of this one, or absent
    transaction_id_as: Literal["number", "string", "mixed"] = "number"  # type of transactionId
    progress_as: Literal["number", "string", "float", "mixed"] = "number"  # type of progress
    absent_as: Literal["empty", "null", "missing", "mixed"] = "empty"  # a value that is not there
    times_as: Literal["exact", "plain", "z", "fractions", "fractions_z", "mixed"] = "exact"
    # without Z and with fractions where there are some; without both; with Z; with fractions; with both; all of these
    unknown_keys: bool = False  # whether records hold keys that the page does not name
    push_form_differs: bool = False  # whether pushes write odd values mixed, whatever the API does


@dataclass(frozen=True)
class CallFaults:
    """What goes wrong on the way of a call, and how the list moves between calls."""

    faults: Mapping[int, TransportFault] = field(default_factory=dict)  # by call number, from 1 over the sandbox's life
    fault_share: float = 0.0  # calls that a fault befalls at random
    fault_kinds: tuple[TransportFault, ...] = ("timeout", "reset", "half_answer", "html", "cut_json", "503")  # which
    timeout_seconds: float = 30.0  # how long, in real time, a call that times out is left without an answer
    huge_bytes: int = 200_000_000  # size of a huge answer
    maintenance: tuple[Span, ...] = ()  # spans in which each call is answered 503 with an HTML page, and not counted
    clock_step_per_call: timedelta = timedelta(0)  # how far the clock moves before each answer
    inserts_per_call: int = 0  # rows that appear among the older ones before each answer, from those held back
    held_back_share: float = 0.2  # rows held back to be so inserted, where inserts_per_call is not 0
    renames_per_call: int = 0  # learners who get another last name before each answer


@dataclass(frozen=True)
class WitnessFaults:
    """What goes wrong between the world and one of its two witnesses."""

    shares: Mapping[WitnessFault, float] = field(default_factory=dict)  # share of updates that each befalls, by seed
    planted: tuple[Planted, ...] = ()  # faults on named updates and transactions
    differs_in: Literal["firstName", "email", "activityTitle", "progress", "dateStarted", "completionCode"] = (
        "firstName"  # the field in which a push that differs, or an API that contradicts itself, tells another value
    )
    push_late_by: timedelta = timedelta(days=1)  # delay of a late push
    push_twice_after: timedelta = timedelta(minutes=1)  # when the second copy of a doubled push is sent
    api_withheld_for: timedelta = timedelta(days=2)  # how long the API does not show a withheld row
    outages: tuple[Span, ...] = ()  # the sender is silent: what happens in these is never pushed
    receiver_down: tuple[Span, ...] = ()  # attempts in these fail without leaving
    wrong_push_token: tuple[Span, ...] = ()  # attempts in these carry a wrong token


@dataclass(frozen=True)
class PushSwitches:
    """Where and how pushes are sent."""

    push_url: str | None = None  # the receiver; http or https
    push_ca_file: Path | None = None  # the CA to trust for it, PEM; the system's if unset
    push_folder: Path | None = None  # a folder that gets each body as a *.json file, in place of a POST
    push_token_name: str = "access_token"  # noqa: S105 - a name that every reader may know
    push_token_value: str = ""  # its value; made from the seed if empty
    push_auth_by: Literal["query", "header"] = "query"  # where the token travels
    push_shape: Literal["bundle", "flat"] = "bundle"  # since 2017, or one flat record with a token as before
    push_empty_lists: bool = True  # whether a bundle names the kinds that it has none of
    push_latency: timedelta = timedelta(milliseconds=400)  # from the last update of a bundle to its sending
    bundle_span: timedelta = timedelta(seconds=2)  # updates this near to the first travel together
    bundle_size: int = 50  # most updates in one bundle
    retry_delays: tuple[timedelta, ...] = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
    # after each failed attempt, how long until the next; when they are spent, never again


@dataclass(frozen=True)
class SandboxConfig(PushSwitches, WitnessFaults, CallFaults, FormSwitches, ApiSwitches, WorldSwitches):
    """All switches of one sandbox, and its ports."""

    api_port: int = 0  # port of the API on loopback; 0 lets the system choose
    control_port: int = 0  # port of the control address on loopback; 0 lets the system choose
    clock_speed: float = 0.0  # for `serve`: simulated seconds that pass in a real one

    def __post_init__(self) -> None:
        for switch in fields(self):
            _check(switch.name, switch.type, getattr(self, switch.name))
        for name in ("start_at", "clock_at"):
            if getattr(self, name) is not None and getattr(self, name).tzinfo is None:
                raise UsageError(f"The sandbox's {name} needs a time zone.")
        for zone in {self.count_day, self.dates_read_in} - {"rolling"}:
            if not is_zone(zone):
                raise UsageError(f"The sandbox knows no time zone {zone!r}.")
        if self.page_cap is not None and self.page_cap < 1:
            raise UsageError("The sandbox's page_cap is at least 1.")
        if self.push_url and self.push_folder:
            raise UsageError("The sandbox pushes to push_url or to push_folder, not to both.")

    @property
    def end_at(self) -> datetime:
        """End of the span of events."""
        return self.start_at + timedelta(days=self.days)


def _check(name: str, kind: Any, value: Any) -> None:
    """Refuse a value that a switch of named choices does not have, or a collection of such choices."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            allowed = ", ".join(str(choice) for choice in get_args(kind))
            raise UsageError(f"The sandbox's {name} is one of {allowed}, not {value!r}.")
    elif get_origin(kind) is Mapping:
        for key, member in value.items():
            _check(name, get_args(kind)[0], key)
            _check(name, get_args(kind)[1], member)
    elif get_origin(kind) is tuple:
        for member in value:
            _check(name, get_args(kind)[0], member)
    elif kind is Planted:
        _check(name, WitnessFault if value.fault in get_args(WitnessFault) else OddFact, value.fault)


WORLD_SWITCHES = frozenset(switch.name for switch in fields(WorldSwitches)) | {
    "token",
    "push_token_value",
    "api_port",
    "control_port",
}
"""What cannot change while a sandbox runs."""
