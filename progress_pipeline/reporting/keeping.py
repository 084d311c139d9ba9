"""Pages of earlier runs, kept beside the versions of the published file, each by the instant that it is true for."""

from pathlib import Path

from progress_pipeline.errors import PublishError
from progress_pipeline.second_names import give_name, names_given


def keep_page(report: Path, version: str, persons: str, keep: int) -> None:
    """Give a page a second name among the versions, and let go of the oldest.

    Args:
        report: The page.
        version: The version that it tells of.
        persons: What it says of how much it tells of persons. A page that says anything else is let go of: it may name
            whom this one does not.
        keep: How many pages stand, this one among them; 0 for none.
    """
    if keep > 0:
        give_name(report, version)
    for place, page in enumerate(names_given(report)):
        if place >= keep or persons.encode() not in page.read_bytes():
            page.unlink()


def remove_leftovers(report: Path) -> None:
    """Remove what a killed or failed run left of a page that it was writing: it may name whom the next does not."""
    for leftover in report.parent.glob(f".{report.name}.*.building"):
        leftover.unlink()


def take_away(report: Path) -> None:
    """Take a page and those kept of it away, so that nobody reads an old one for a new one.

    Raises:
        PublishError: One of them cannot be taken away.
    """
    try:
        remove_leftovers(report)
        for page in (report, *names_given(report)):
            page.unlink(missing_ok=True)
    except OSError as error:
        raise PublishError(
            f"No report is wanted, but an old one could not be taken away: {error}. Move it away and run again."
        ) from error
