"""One attempt to cover a window, as it is written down: what came, and what proves it or why nothing does."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.windows import Window


@dataclass(frozen=True)
class WindowAttempt:
    """An attempt to cover a window; the fields are those of `raw.api_windows`. Instants are aware.

    Attributes:
        window_id: Name of the attempt.
        purpose: What it was for.
        window_start: Start of the span proven, or not proven.
        window_end: Its end, exclusive.
        search: The term it was narrowed to.
        attempted_at: When its first call was made.
        first_call_id: Its first call.
        last_call_id: Its last call.
        call_count: Calls that it took.
        expected_rows: What the vendor announced or was measured to have.
        distinct_rows: Distinct transactions that came.
        is_complete: Whether nothing of the span is missing.
        proof: What proves it.
        reason: Why it is not proven.
    """

    window_id: str
    purpose: str
    window_start: datetime
    window_end: datetime
    search: str | None
    attempted_at: datetime
    first_call_id: int | None
    last_call_id: int | None
    call_count: int
    expected_rows: int | None
    distinct_rows: int
    is_complete: bool
    proof: str | None
    reason: str | None

    @classmethod
    def of(  # noqa: PLR0913 - the columns of a row, each by name
        cls,
        purpose: Purpose,
        window: Window,
        *,
        attempted_at: datetime,
        search: str = "",
        call_ids: Sequence[int] = (),
        expected_rows: int | None = None,
        distinct_rows: int = 0,
        proof: str | None = None,
        reason: str | None = None,
    ) -> Self:
        """Write an attempt down; it is complete if there is a proof."""
        first, last = (min(call_ids), max(call_ids)) if call_ids else (None, None)
        name = (
            f"{purpose} {window.start.isoformat()} {window.end.isoformat()} {search} {attempted_at.isoformat()} {first}"
        )
        return cls(
            window_id=hashlib.sha256(name.encode()).hexdigest()[:32],
            purpose=purpose.value,
            window_start=window.start,
            window_end=window.end,
            search=search or None,
            attempted_at=attempted_at,
            first_call_id=first,
            last_call_id=last,
            call_count=len(call_ids),
            expected_rows=expected_rows,
            distinct_rows=distinct_rows,
            is_complete=proof is not None,
            proof=proof,
            reason=None if proof is not None else reason,
        )
