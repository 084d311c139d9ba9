"""Pages of earlier runs, kept beside the versions of the published file, each by the instant that it is true for."""

import shutil
from pathlib import Path

VERSIONS = "versions"


def keep_page(report: Path, version: str, persons: str, keep: int) -> None:
    """Give a page a second name among the versions, and let go of the oldest.

    Args:
        report: The page.
        version: The version that it tells of.
        persons: What it says of how much it tells of persons. A page that says anything else is let go of: it may name
            whom this one does not.
        keep: How many pages stand, this one among them; 0 for none.
    """
    folder = report.parent / VERSIONS
    if keep > 0:
        folder.mkdir(exist_ok=True)
        kept = folder / f"{report.stem}-{version}{report.suffix}"
        kept.unlink(missing_ok=True)
        try:
            kept.hardlink_to(report)
        except OSError:
            shutil.copyfile(report, kept)  # a file system without second names
    for place, page in enumerate(_kept(report)):
        if place >= keep or persons not in page.read_text(encoding="utf-8"):
            page.unlink()


def take_away(report: Path) -> None:
    """Take a page and those kept of it away, so that nobody reads an old one for a new one."""
    for page in (report, *_kept(report)):
        page.unlink(missing_ok=True)


def _kept(report: Path) -> list[Path]:
    """Give the pages among the versions, the newest first."""
    return sorted((report.parent / VERSIONS).glob(f"{report.stem}-[0-9]*T[0-9]*Z{report.suffix}"), reverse=True)
