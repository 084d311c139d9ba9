"""The pages as they came, kept compressed for a set time, so that a third party can check what was concluded from them.

One file per call, `<YYYY-MM-DD>/call-<id>.json.zst`, by the day on which the call was counted. Only the token's own
characters are left out, should a body ever hold them. What is said about a page (its hash, its window) is in the
ledger.
"""

import contextlib
import os
import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import zstandard

LEVEL = 1
"""Pages of records become no smaller at level 6, which takes four times as long."""


@dataclass(frozen=True)
class KeptPages:
    """A folder of pages.

    Attributes:
        folder: The folder, `<data>/evidence/pages`; None keeps nothing.
        keep_days: Days after which a page is dropped.
    """

    folder: Path | None
    keep_days: int = 90

    def path(self, call_id: int, counted_at: datetime) -> Path | None:
        """Give where a call's page stands."""
        return self.folder and self.folder / f"{counted_at:%Y-%m-%d}" / f"call-{call_id}.json.zst"

    def keep(self, call_id: int, counted_at: datetime, body: bytes) -> None:
        """Write a page down; a kill leaves no half of one under its name."""
        path = self.path(call_id, counted_at)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        aside.write_bytes(zstandard.ZstdCompressor(level=LEVEL).compress(body))
        os.replace(aside, path)  # noqa: PTH105 - replaces on every platform

    def read(self, call_id: int, counted_at: datetime) -> bytes | None:
        """Give a page as it came, or None if it is not kept."""
        path = self.path(call_id, counted_at)
        if path is None or not path.exists():
            return None
        return zstandard.ZstdDecompressor().decompress(path.read_bytes())

    def drop_old(self, today: date) -> int:
        """Drop the days that are past keeping; give how many."""
        if self.folder is None or not self.folder.is_dir():
            return 0
        old = [day for day in self.folder.iterdir() if _is_before(day.name, today - timedelta(days=self.keep_days))]
        for day in old:
            shutil.rmtree(day, ignore_errors=True)
        return len(old)


def _is_before(name: str, limit: date) -> bool:
    with contextlib.suppress(ValueError):
        return date.fromisoformat(name) < limit
    return False
