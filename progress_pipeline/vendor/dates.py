"""The dates in records, as far as they can be read, to hold them against what was asked.

Verbatim text in, seconds since 1970 out; a text that is no plain UTC date is nothing. Only inference and forecasts
read dates here: what a date means in a table is decided in staging.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from progress_pipeline.vendor.answers import CHANGED, COMPLETED, STARTED

MICROSECONDS = 1_000_000
_SHORTEST = len("2026-11-23T05:00:00")
_BARE, _ZONED = pa.timestamp("us"), pa.timestamp("us", "UTC")
_PLAIN = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?$"


def seconds(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Give each date of a text column in seconds since 1970, to the second; NaN where there is none to be read."""
    quick = _seconds_of_plain(column)
    if quick is not None:
        return quick
    text = pc.utf8_trim_whitespace(column)
    is_plain = pc.fill_null(pc.match_substring_regex(text, _PLAIN), fill_value=False)
    head = pc.replace_substring(pc.utf8_slice_codeunits(text, 0, 19), " ", "T")
    parsed = pc.strptime(pc.if_else(is_plain, head, None), format="%Y-%m-%dT%H:%M:%S", unit="s", error_is_null=True)
    numbers = pc.cast(pc.cast(parsed, pa.int64()), pa.float64())
    array = numbers.combine_chunks() if isinstance(numbers, pa.ChunkedArray) else numbers
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _seconds_of_plain(column: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Do it a tenth as dear where every text is a plain date, all with a Z or all without, or null."""
    if (pc.min(pc.binary_length(column)).as_py() or 0) < _SHORTEST:
        return None
    try:
        instants = pc.cast(column, _ZONED if pc.all(pc.ends_with(column, "Z")).as_py() else _BARE)
    except pa.ArrowInvalid:
        return None
    return np.floor(np.asarray(pc.cast(instants, pa.int64()).to_numpy(), dtype=np.float64) / MICROSECONDS)


def is_absent(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Say of each text whether it is null or blank."""
    blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    flags = pc.fill_null(blank, fill_value=True)
    array = flags.combine_chunks() if isinstance(flags, pa.ChunkedArray) else flags
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def happened_at(records: pa.Table, filter_dates: frozenset[str]) -> NDArray[np.float64]:
    """Give when each record happened, as far as the filter's date can be guessed and read.

    Args:
        records: The records.
        filter_dates: The dates that the vendor may filter by (`Answers.filter_dates`).
    """
    started, completed = seconds(records["date_started"]), seconds(records["date_completed"])
    if filter_dates == {STARTED}:
        return started
    if filter_dates == {COMPLETED}:
        return completed
    return np.where(np.isfinite(completed), completed, started) if CHANGED in filter_dates else started
