"""The small charts of failing checks, as text: Dagster's pages show no picture that comes with metadata.

Its Markdown drops inline SVG and images as data, and keeps blocks of code, in which every character is equally wide.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH = 24
_PARTS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Chart:
    """What a check's chart shows.

    Attributes:
        series: The values.
        heading: What they are.
    """

    series: str
    heading: str


CHARTS = {
    "webhook_told_everything": Chart("webhook", "gaps outside outages, by the UTC day on which they opened"),
    "fields_agree": Chart("fields", "contradictions, by the UTC day on which they opened"),
    "webhook_not_silent": Chart("outages", "changes lost, by the UTC day on which the outage began"),
    "api_shows_everything": Chart("owed", "open gaps, by full days since they opened (8: or more)"),
    "repairs_keep_up": Chart("owed", "open gaps, by full days since they opened (8: or more)"),
    "watermark_is_recent": Chart("watermarks", "hours behind this run, by kind of update"),
}
"""By check, what it shows when it fails."""


def bars(heading: str, values: Mapping[str, float]) -> str:
    """Draw bars from left to right, one below the other, as a Markdown block of code."""
    top = max(values.values(), default=0.0)
    wide = max((len(label) for label in values), default=0)
    lines = [f"{label:>{wide}} {_bar(value, top)} {value:,.0f}" for label, value in values.items()]
    return "\n".join([heading, "", "```text", *lines, "```"])


def _bar(value: float, top: float) -> str:
    """Draw one bar, to an eighth of a character; what is not nought is seen."""
    eighths = max(round(8 * WIDTH * value / top), 1) if value > 0 and top > 0 else 0
    whole, rest = divmod(eighths, 8)
    return (_PARTS[8] * whole + (_PARTS[rest] if rest else "")).ljust(WIDTH)
