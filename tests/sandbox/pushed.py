"""What was pushed into a folder, and what a sandbox says of what was not."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from progress_pipeline.sandbox.server import Sandbox


def bodies(folder: Path) -> list[dict[str, Any]]:
    """Give all landed bodies, in the order of sending."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json"))]


def told(folder: Path) -> Counter[int]:
    """Count how often each transaction was pushed into a folder."""
    return Counter(record["transactionId"] for body in bodies(folder) for kind in body.values() for record in kind)


def lost_by(sandbox: Sandbox) -> dict[int, str | None]:
    """Give the reason of each lost update."""
    return {one.update_id: one.lost_because for one in sandbox.truth.lost()}
