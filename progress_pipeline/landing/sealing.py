"""Seals closed segments: an atomic rename out of the open folder to where readers look.

The name and the partition tell the time of sealing. A rename that fails (the disk is full or read-only) changes
nothing; the segment stays durable where it is, to be sealed later or recovered at the next start.
"""

from pathlib import Path

from progress_pipeline.clock import Clock
from progress_pipeline.landing import durably, layout


def seal(landing: Path, path: Path, *, clock: Clock) -> Path:
    """Rename a closed segment or journal to its sealed name, durably, and give that name.

    Raises:
        OSError: It could not be renamed now; nothing is lost.
        FileNotFoundError: It is not there any more: another process recovered it.
    """
    at = clock()
    folder = layout.partition(landing, at)
    suffix = layout.JOURNAL_SUFFIX if path.name.endswith(layout.JOURNAL_SUFFIX) else layout.SEGMENT_SUFFIX
    target = folder / layout.new_name(at, suffix)
    durably.make_folder(folder)
    path.rename(target)
    durably.sync_folders(folder, landing)
    durably.sync_folder(path.parent)
    return target
