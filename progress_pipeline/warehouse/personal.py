"""What of a published file tells of persons, and what stands there instead.

Three ways: `full`; `pseudonyms`, where a person's identifiers are replaced by keyed hashes (HMAC-SHA-256, RFC 2104) and
the rest is left out; `none`, where all of it is left out, and with it the tables that are about persons alone. The key
stands in memory only. What is personal is known by the column's name; a test looks for persons in every column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import duckdb

from progress_pipeline.warehouse.models import Column, Model

IDENTIFIERS = frozenset({"learner_id", "member_identifier", "email"})
"""Columns that say who somebody is: equal for the same person."""

NAMES = frozenset({"first_name", "last_name"})
"""Columns that name somebody. They have no pseudonyms: how often a first name occurs would give it away."""

QUOTING = frozenset({"differing_values", "search", "accepted_by", "accepted_because"})
"""Columns that may quote what was said of a person, or name who works with the data."""

_BLOCK = 64
_LENGTH = 24


class PersonalData(Enum):
    """What a published file tells of persons."""

    FULL = "full"
    PSEUDONYMS = "pseudonyms"
    NONE = "none"


def tells_more(one: str, than: PersonalData) -> bool:
    """Say whether one way, by its name, tells more of persons than another; a name that is not known may tell all.

    What was published before is let go of where it tells more than what is published now.
    """
    order = [each.value for each in (PersonalData.NONE, PersonalData.PSEUDONYMS, PersonalData.FULL)]
    return one not in order or order.index(one) > order.index(than.value)


@dataclass(frozen=True)
class Privacy:
    """What a published file tells of persons, and the secret that pseudonyms are made with."""

    personal_data: PersonalData = PersonalData.FULL
    key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Shown:
    """A column as it is published.

    Attributes:
        name: Its name.
        sql: The expression over the warehouse's table.
        description: What it means.
    """

    name: str
    sql: str
    description: str


def shown_columns(model: Model, names: Sequence[str], privacy: Privacy) -> list[Shown]:
    """Choose what is published of a table's columns; nothing if the table is about persons alone.

    Args:
        model: The table.
        names: Its columns as they are in the warehouse.
        privacy: What may be told.
    """
    described = {column.name: column for column in model.columns}
    columns = [described.get(name, Column(name, "")) for name in names]
    if privacy.personal_data is PersonalData.FULL:
        return [Shown(column.name, f'"{column.name}"', column.description) for column in columns]
    has_pseudonyms = privacy.personal_data is PersonalData.PSEUDONYMS
    left_out = NAMES | QUOTING if has_pseudonyms else NAMES | QUOTING | IDENTIFIERS
    if left_out & set(model.key):
        return []
    return [
        Shown(column.name, _pseudonym(column.name), f"{column.description} Here a pseudonym.")
        if column.name in IDENTIFIERS
        else Shown(column.name, f'"{column.name}"', column.description)
        for column in columns
        if column.name not in left_out
    ]


def set_key(connection: duckdb.DuckDBPyConnection, privacy: Privacy) -> None:
    """Give a connection what it needs to make pseudonyms; it stands in its memory alone, and goes with it.

    HMAC(key, text) is sha256(key ^ 5c…, sha256(key ^ 36…, text)), the key filled up to a block. A key longer than a
    block is hashed first.
    """
    key = privacy.key
    if len(key) > _BLOCK:
        ((hashed,),) = connection.execute("select unhex(sha256($1::blob))", [key]).fetchall()
        key = bytes(hashed)
    block = key.ljust(_BLOCK, b"\0")
    connection.execute("set variable inner_pad = $1", [bytes(byte ^ 0x36 for byte in block)])
    connection.execute("set variable outer_pad = $1", [bytes(byte ^ 0x5C for byte in block)])


def _pseudonym(column: str) -> str:
    """Write the expression of a pseudonym; an address is one however it is capitalised."""
    text = f'lower("{column}")' if column == "email" else f'"{column}"'
    inner = f"unhex(sha256(getvariable('inner_pad') || encode({text})))"
    return f"case when {text} is not null then 'p-' || left(sha256(getvariable('outer_pad') || {inner}), {_LENGTH}) end"
