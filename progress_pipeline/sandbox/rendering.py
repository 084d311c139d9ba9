"""How a record is written down: from a world's columns to the bytes of a JSON object, in the forms switched on.

One renderer writes for the API, another for pushes. What a row was once written as is kept, so that a page of a
thousand rows is a join of bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from progress_pipeline.sandbox.chance import Flags, Reals, draws
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.world import JUNK, World

JUNK_FORMS = (b"null", b'"unavailable"', b"{}", b"[1,2]", b'{"error":"row could not be read"}', b"17")
OPTIONAL = ("memberIdentifier", "dateStarted", "dateCompleted", "completionCode")
"""What a record may be without; the rest is written as null where a given file lacks it."""


OTHER_VALUES: dict[str, Any] = {
    "firstName": "Otherwise",
    "email": "otherwise@example.invalid",
    "activityTitle": "Otherwise",
    "progress": 1.0,
    "dateStarted": datetime(2001, 2, 3, 4, 5, 6),  # noqa: DTZ001 - as a world's table has it, UTC without a zone
    "completionCode": "00000000-0000-4000-8000-000000000000",
}
"""What is told where a witness is to differ."""


def other_values(rows: Sequence[int], differs: Flags, config: SandboxConfig) -> dict[int, dict[str, Any]]:
    """Give another value of the field that is switched on, for those rows that are to differ."""
    field: str = config.differs_in
    return {row: {field: OTHER_VALUES[field]} for row in rows if differs[row]}


class Renderer:
    """Writes the rows of a world for one witness, and remembers what it wrote.

    Args:
        world: Whose rows.
        config: The forms.
        salt: Makes the mixed forms of two witnesses differ; equal salts write equal bytes.
        is_mixed: Whether odd values are mixed whatever the forms say.
    """

    def __init__(self, world: World, config: SandboxConfig, *, salt: str = "", is_mixed: bool = False) -> None:
        self._world = world
        mixed = "mixed" if is_mixed else None
        self._id_as = mixed or config.transaction_id_as
        self._progress_as = mixed or config.progress_as
        self._absent_as = mixed or config.absent_as
        self._times_as = mixed or config.times_as
        self._has_unknown_keys = config.unknown_keys
        self._seed, self._salt = config.seed, salt
        self._written: list[bytes | None] = [None] * len(world)
        self._chance: Reals | None = None
        self.garbled: Flags = np.zeros(len(world), dtype=np.bool_)
        self.contradicting = self.garbled

    def forget(self, rows: Iterable[int]) -> None:
        """Write these rows anew when they are next asked for."""
        for row in rows:
            self._written[row] = None

    def write(self, rows: Sequence[int], changed: Mapping[int, Mapping[str, Any]] | None = None) -> list[bytes]:
        """Give the rows as JSON objects.

        Args:
            rows: Which.
            changed: Values by row and field that stand in place of the world's; such rows are not remembered.
        """
        unwritten = [row for row in rows if self._written[row] is None or (changed and row in changed)]
        texts: dict[int, bytes] = {}
        if unwritten:
            for row, record in zip(unwritten, self._world.table.take(unwritten).to_pylist(), strict=True):
                if changed and row in changed:
                    texts[row] = self._text(row, {**record, **changed[row]})
                else:
                    self._written[row] = self._text(row, record)
        return [texts[row] if row in texts else self._written[row] or b"" for row in rows]

    def write_for(self, call_number: int, rows: Sequence[int], config: SandboxConfig) -> list[bytes]:
        """Give the rows as one call sees them: those that contradict themselves have two values in turn."""
        is_other = call_number % 2 == 0 and self.contradicting.any()
        return self.write(rows, other_values(rows, self.contradicting, config) if is_other else None)

    def _text(self, row: int, record: dict[str, Any]) -> bytes:
        if self.garbled[row] or self._world.kind[row] == JUNK:
            return JUNK_FORMS[row % len(JUNK_FORMS)]
        luck = self._luck(row)
        record["transactionId"] = self._number(record["transactionId"], self._id_as, luck)
        progress = record["progress"]
        if progress is not None and self._progress_as != "float":
            progress = int(progress) if progress.is_integer() else progress
            progress = self._number(progress, self._progress_as, luck >> 1)
        record["progress"] = progress
        for name in ("dateStarted", "dateCompleted"):
            if record[name] is not None:
                record[name] = self._time(record[name], luck >> 2)
        for name in OPTIONAL:
            if record[name] is None:
                self._mark_absent(record, name, luck >> 4)
        if self._has_unknown_keys:
            record["score"] = (luck >> 6) % 101
            record["department"] = {"name": "Región 4", "path": [1, luck % 7]}
        return msgspec.json.encode(record)

    def _luck(self, row: int) -> int:
        """Give some random bits of a row."""
        if self._chance is None:
            self._chance = draws(self._seed, f"forms {self._salt}", len(self._world))
        return int(self._chance[row] * (1 << 30))

    @staticmethod
    def _number(value: float, form: str, luck: int) -> object:
        return str(value) if form == "string" or (form == "mixed" and luck & 1) else value

    def _time(self, instant: datetime, luck: int) -> str:
        form = self._times_as
        if form == "exact":
            text = instant.isoformat()
            return text.rstrip("0") if instant.microsecond else text
        if form == "mixed":
            form = ("plain", "z", "fractions", "fractions_z")[luck & 3]
        text = instant.isoformat(timespec="milliseconds" if form.startswith("fractions") else "seconds")
        return text + "Z" if form.endswith("z") else text

    def _mark_absent(self, record: dict[str, Any], name: str, luck: int) -> None:
        form = self._absent_as
        if form == "mixed":
            form = ("empty", "null", "missing")[(luck + OPTIONAL.index(name)) % 3]
        if form == "missing":
            del record[name]
        else:
            record[name] = "" if form == "empty" else None
