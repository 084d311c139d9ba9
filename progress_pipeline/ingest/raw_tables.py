"""The raw tables: their columns, keys and descriptions, in one place.

What the vendor said stands here verbatim, as text. Columns that say how it came here are typed, since we wrote them.
All instants are UTC without a zone. No rule about what the data means belongs here; types begin in staging.
"""

from dataclasses import dataclass

import pyarrow as pa

TEXT = pa.string()
WHOLE = pa.int64()
INSTANT = pa.timestamp("us")
FLAG = pa.bool_()
SECONDS = pa.float64()

_SQL_TYPES = {TEXT: "varchar", WHOLE: "bigint", INSTANT: "timestamp", FLAG: "boolean", SECONDS: "double"}


def sql_type(kind: pa.DataType) -> str:
    """Give DuckDB's name of one of the types above."""
    return _SQL_TYPES[kind]


@dataclass(frozen=True)
class RawTable:
    """One table of the schema `raw`.

    Attributes:
        name: The table's name, without the schema.
        description: Its grain and purpose.
        key: The columns that make a row unique; loading a key again changes nothing, or the whole row if `is_updated`.
        schema: Column names and types; each field's metadata holds its `description`.
        is_updated: Whether a later row of the same key takes the earlier one's place.
    """

    name: str
    description: str
    key: tuple[str, ...]
    schema: pa.Schema
    is_updated: bool = False


def _column(name: str, kind: pa.DataType, description: str, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


RECORD_COLUMNS: tuple[pa.Field, ...] = (
    _column("transaction_id", TEXT, "The vendor's transactionId, verbatim."),
    _column("first_name", TEXT, "The learner's first name, verbatim."),
    _column("last_name", TEXT, "The learner's last name, verbatim."),
    _column("email", TEXT, "The learner's e-mail address, verbatim."),
    _column(
        "member_identifier",
        TEXT,
        "The learner's number at the member organisation, verbatim; some have none.",
    ),
    _column("activity_id", TEXT, "The IRI of the activity, verbatim."),
    _column("activity_title", TEXT, "The title of the activity, verbatim."),
    _column("registration", TEXT, "The learner's instance of the activity, verbatim."),
    _column("date_started", TEXT, "When the activity was started, verbatim."),
    _column("progress", TEXT, "How far the learner has come, 0 to 100, verbatim."),
    _column("date_completed", TEXT, "When the activity was completed, verbatim; empty or absent if it was not."),
    _column("completion_code", TEXT, "The vendor's name of the completion, verbatim."),
    _column(
        "extra",
        TEXT,
        "Keys of the record that are none of the twelve, as a JSON object; null if there are none.",
    ),
)
"""The twelve fields of a record and what else it said; the same in both witnesses' tables."""

LOAD_NUMBER = _column(
    "load_number",
    WHOLE,
    "The load that brought the row, counted from 1; what is new since a load has a greater one.",
    nullable=False,
)

API_PROGRESS = RawTable(
    "api_progress",
    "One row per distinct version of a record that the API returned.",
    ("call_id", "position"),
    pa.schema(
        [
            *RECORD_COLUMNS,
            _column("call_id", WHOLE, "The call that brought this version first.", nullable=False),
            _column("position", WHOLE, "The record's place in that call's answer, from 0.", nullable=False),
            _column("observed_at", INSTANT, "When the answer was received.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
)

API_CALLS = RawTable(
    "api_calls",
    "One row per call: one POST to the vendor's API, counted before it left.",
    ("call_id",),
    pa.schema(
        [
            _column("call_id", WHOLE, "The ledger's number of the call, ascending.", nullable=False),
            _column("purpose", TEXT, "What the call was for: daily, recheck, repair, backfill, probe or manual."),
            _column("window_start", INSTANT, "Start of the span asked for, inclusive."),
            _column("window_end", INSTANT, "End of the span asked for, exclusive."),
            _column("request", TEXT, "The request's JSON, less the token."),
            _column("counted_at", INSTANT, "The instant that counts towards the day's calls.", nullable=False),
            _column(
                "finished_at",
                INSTANT,
                "When the answer was there or given up; null if the run was killed first.",
            ),
            _column("outcome", TEXT, "answered, failed, refused or unfinished."),
            _column("http_status", WHOLE, "The answer's HTTP status; null if there was none."),
            _column("row_count", WHOLE, "Records in the answer."),
            _column("vendor_count", WHOLE, "The vendor's own `count`, where it gave one."),
            _column("byte_count", WHOLE, "Bytes of the answer's body."),
            _column("sha256", TEXT, "SHA-256 of the answer's body, in hex."),
            _column("duration_seconds", SECONDS, "From sending to the answer's last byte, in seconds."),
            _column("error", TEXT, "What went wrong; null if nothing did."),
            LOAD_NUMBER,
        ]
    ),
    is_updated=True,
)

API_WINDOWS = RawTable(
    "api_windows",
    "One row per attempt to cover a window.",
    ("window_id",),
    pa.schema(
        [
            _column("window_id", TEXT, "Name of the attempt.", nullable=False),
            _column(
                "purpose",
                TEXT,
                "What it was for: daily, recheck, repair, backfill, probe or manual.",
                nullable=False,
            ),
            _column("window_start", INSTANT, "Start of the span proven, inclusive.", nullable=False),
            _column("window_end", INSTANT, "End of the span proven, exclusive.", nullable=False),
            _column("search", TEXT, "The search term, if it was narrowed to one; such a window covers nothing."),
            _column("attempted_at", INSTANT, "When its first call was made.", nullable=False),
            _column("first_call_id", WHOLE, "Its first call; null if none left."),
            _column("last_call_id", WHOLE, "Its last call; null if none left."),
            _column("call_count", WHOLE, "Calls that it took.", nullable=False),
            _column("expected_rows", WHOLE, "Records that the vendor's `count` announced, where it is given."),
            _column("distinct_rows", WHOLE, "Distinct transactions that came.", nullable=False),
            _column(
                "is_complete",
                FLAG,
                "Whether it is proven that nothing of the span is missing.",
                nullable=False,
            ),
            _column("proof", TEXT, "What proves it; null if it is not proven."),
            _column("reason", TEXT, "Why it is not proven; null if it is."),
            _column("covered_until", INSTANT, "End of unbroken proven coverage after this load; the cursor."),
            LOAD_NUMBER,
        ]
    ),
)

WEBHOOK_FILES = RawTable(
    "webhook_files",
    "One row per landed file that was read.",
    ("file_id",),
    pa.schema(
        [
            _column("file_id", TEXT, "The file's identity: its path and content, never its time.", nullable=False),
            _column("file", TEXT, "Path below the landing folder.", nullable=False),
            _column("kind", TEXT, "body (one delivery's body), segment (deliveries with envelope) or journal."),
            _column("byte_count", WHOLE, "Bytes of the file.", nullable=False),
            _column(
                "modified_ns",
                WHOLE,
                "Its modification time in nanoseconds, only to see that it is unchanged.",
            ),
            _column("delivery_count", WHOLE, "Deliveries found in it.", nullable=False),
            _column("error", TEXT, "Why it could not be read, or read whole; null if it was."),
            _column("loaded_at", INSTANT, "When it was read.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
)

WEBHOOK_DELIVERIES = RawTable(
    "webhook_deliveries",
    "One row per delivery: one POST of the webhook.",
    ("delivery_id",),
    pa.schema(
        [
            _column("delivery_id", TEXT, "The receiver's name of the delivery.", nullable=False),
            _column("received_at", INSTANT, "When it was received.", nullable=False),
            _column("file", TEXT, "The landed file it stands in, below the landing folder."),
            _column("line", WHOLE, "Its line in that file, from 1; null for a file that is one body."),
            _column("content_type", TEXT, "The request's content type, where known."),
            _column("byte_count", WHOLE, "Bytes of the body.", nullable=False),
            _column("sha256", TEXT, "SHA-256 of the body, in hex.", nullable=False),
            _column("started_count", WHOLE, "Updates of kind started.", nullable=False),
            _column("progressed_count", WHOLE, "Updates of kind progressed.", nullable=False),
            _column("completion_count", WHOLE, "Updates of kind completion.", nullable=False),
            _column("reject_count", WHOLE, "Things in it that could not be read as a record.", nullable=False),
            _column("error", TEXT, "Why it could not be read; null if it was."),
            LOAD_NUMBER,
        ]
    ),
)

WEBHOOK_UPDATES = RawTable(
    "webhook_updates",
    "One row per update in a delivery.",
    ("delivery_id", "position"),
    pa.schema(
        [
            *RECORD_COLUMNS,
            _column("kind", TEXT, "started, progressed or completion.", nullable=False),
            _column("delivery_id", TEXT, "The delivery it came in.", nullable=False),
            _column("position", WHOLE, "Its place in the delivery over all kinds, from 0.", nullable=False),
            _column("received_at", INSTANT, "When the delivery was received.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
)

WEBHOOK_REFUSALS = RawTable(
    "webhook_refusals",
    "One row per request that the receiver refused.",
    ("refusal_id",),
    pa.schema(
        [
            _column("refusal_id", TEXT, "Name of the refusal.", nullable=False),
            _column("refused_at", INSTANT, "When.", nullable=False),
            _column("client", TEXT, "The sender's address."),
            _column("http_status", WHOLE, "What was answered."),
            _column("reason", TEXT, "Why, in a word or two; never the token."),
            _column("until_at", INSTANT, "For a span of refusals told as one, its end."),
            _column("refusal_count", WHOLE, "Requests that this row stands for.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
)

REJECTS = RawTable(
    "rejects",
    "One row per thing that could not be read as a record.",
    ("reject_id",),
    pa.schema(
        [
            _column("reject_id", TEXT, "Name of the reject.", nullable=False),
            _column("source", TEXT, "api or webhook.", nullable=False),
            _column("call_id", WHOLE, "The call it came in, from the API."),
            _column("delivery_id", TEXT, "The delivery it came in, from the webhook."),
            _column("file", TEXT, "The landed file it stands in, from the webhook."),
            _column("position", WHOLE, "Its place in the answer or delivery, from 0; null if that is not known."),
            _column("reason", TEXT, "Why it is no record.", nullable=False),
            _column("raw_text", TEXT, "What was sent, as text; bytes that are no UTF-8 stand as escapes."),
            _column("observed_at", INSTANT, "When it was received.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
)

RUNS = RawTable(
    "runs",
    "One row per load that a run began: when it was, and by which settings it judges.",
    ("run_id", "load_number"),
    pa.schema(
        [
            _column("run_id", TEXT, "Dagster's name of the run.", nullable=False),
            _column("as_of", INSTANT, "The instant that the run takes as now.", nullable=False),
            _column("purpose", TEXT, "daily, backfill, repair, land or manual.", nullable=False),
            _column("start_at", INSTANT, "First instant to be covered.", nullable=False),
            _column("settle_minutes", WHOLE, "Minutes that both witnesses are given.", nullable=False),
            _column("lookback_days", WHOLE, "Days that each daily pull asks again.", nullable=False),
            _column("daily_calls", WHOLE, "Calls that the vendor grants in a day.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
)

GAP_ACCEPTANCES = RawTable(
    "gap_acceptances",
    "One row per gap that somebody closed by hand.",
    ("gap_id",),
    pa.schema(
        [
            _column("gap_id", TEXT, "The gap.", nullable=False),
            _column("accepted_at", INSTANT, "When.", nullable=False),
            _column("accepted_by", TEXT, "Who."),
            _column("why", TEXT, "The reason given.", nullable=False),
            LOAD_NUMBER,
        ]
    ),
    is_updated=True,
)

ACTIVITY_VALIDITIES = RawTable(
    "activity_validities",
    "One row per line of the file of validities, whenever it changed; the newest load's lines are those that count.",
    ("load_number", "position"),
    pa.schema(
        [
            _column("position", WHOLE, "The line's place in the file, from 0.", nullable=False),
            _column("activity_id", TEXT, "The IRI of the activity; `*` is all others, and null says: no lines."),
            _column("valid_months", WHOLE, "Months that a completion is valid."),
            _column("valid_days", WHOLE, "Days that a completion is valid."),
            LOAD_NUMBER,
        ]
    ),
)

UNPACKED = frozenset({"sha256"})
"""Columns of random digits: to pack them takes a fifth of an insert's time, and half of their bytes stay."""

RAW_TABLES: tuple[RawTable, ...] = (
    API_PROGRESS,
    API_CALLS,
    API_WINDOWS,
    WEBHOOK_FILES,
    WEBHOOK_DELIVERIES,
    WEBHOOK_UPDATES,
    WEBHOOK_REFUSALS,
    REJECTS,
    RUNS,
    GAP_ACCEPTANCES,
    ACTIVITY_VALIDITIES,
)
"""All of them, in the order in which a person would read them."""


def ddl(table: RawTable) -> str:
    """Write the statement that makes a raw table, with the types that dlt would give it."""
    columns = ", ".join(
        f"{field.name} {sql_type(field.type)}"
        f"{'' if field.nullable else ' not null'}{' using compression uncompressed' if field.name in UNPACKED else ''}"
        for field in table.schema
    )
    return f"create table raw.{table.name} ({columns})"
