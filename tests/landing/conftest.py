"""What the tests of the landing folder share: a folder, an instant, and short ways to write and read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from progress_pipeline.landing import envelopes
from progress_pipeline.landing.finding import LandedFile, find_files

NOW = datetime(2026, 11, 23, 6, 15, 44, 123456, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Give an empty landing folder."""
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def now() -> datetime:
    """Give the instant that stands for now."""
    return NOW


@pytest.fixture
def three_lines() -> list[bytes]:
    """Give the lines of three deliveries: JSON, bytes that are no text, and nothing at all."""
    return [
        envelopes.write_line(body, delivery_id=f"id-{number}", received_at="2026-11-23T06:15:44.123456789Z")
        for number, body in enumerate((b'{"started": []}', b"\xff\x00\n", b""))
    ]


def found(landing: Path, *known: LandedFile) -> list[LandedFile]:
    """Find what is new, where these files are known."""
    return list(
        find_files(
            landing,
            known={file.file: (file.byte_count, file.modified_ns) for file in known},
            known_ids={file.file_id for file in known},
        )
    )
