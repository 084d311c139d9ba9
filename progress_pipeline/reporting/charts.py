"""Charts as plain SVG: drawn by pygal, without its script and its colours, which are the page's.

Labels come from outside. What XML cannot hold, and what turns the direction of a line, is taken out of them; pygal's
tree escapes the rest.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from itertools import zip_longest
from xml.etree import ElementTree as ET

import pygal
from markupsafe import Markup
from pygal.style import Style

WIDTH, HEIGHT, ROW_HEIGHT = 480, 260, 26
LONGEST_LABEL = 22
TICKS = 6

# pygal adds a finder of modules in the form that Python 3.12 gave up, for maps that nobody here draws.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

_STYLE = Style(font_family="sans-serif", label_font_size=15, major_label_font_size=15)
"""The room that labels get; the style sheet writes them that large on a phone, where the chart is small."""

_DROPPED = {"script", "style", "desc", "defs"}

_JOINERS = "\u200c\u200d"
"""Invisible, and part of how Persian, Hindi and emoji are spelled."""

_MEASURES = {"x", "y", "width", "height", "d", "transform"}
_LONG_NUMBER = re.compile(r"(\d+\.\d)\d+")
_UNUSED = {"plot overlay", "plot text-overlay", "plot tooltip-overlay", "titles"}

Series = tuple[str, Sequence[int]]


def clean(text: object, longest: int | None = None) -> str:
    """Make text fit to stand in a chart: one line, nothing invisible, not too long."""
    shown = "".join(
        " " if mark.isspace() else mark
        for mark in str(text)
        if mark.isspace() or mark in _JOINERS or unicodedata.category(mark)[0] != "C"
    )
    shown = " ".join(shown.split())
    return shown if longest is None or len(shown) <= longest else f"{shown[: longest - 1].rstrip()}…"


def bars(labels: Sequence[str], series: Sequence[Series], *, every: int = 1) -> Markup | None:
    """Draw stacked columns, one for each label; nothing where there is nothing to show.

    Args:
        labels: What stands below.
        series: Names and values, the lowest first.
        every: Of how many labels one is written.
    """
    top = max((sum(values) for values in zip_longest(*(each for _, each in series), fillvalue=0)), default=0)
    if not top:
        return None
    chart = pygal.StackedBar(**_options(HEIGHT), show_minor_x_labels=False, x_labels_major_every=every)
    return _drawn(chart, labels, series, top)


def rows(labels: Sequence[str], series: Sequence[Series]) -> Markup | None:
    """Draw stacked bars from left to right, one below the other; nothing where there is nothing to show."""
    top = max((sum(values) for values in zip_longest(*(each for _, each in series), fillvalue=0)), default=0)
    if not top:
        return None
    chart = pygal.HorizontalStackedBar(**_options(60 + ROW_HEIGHT * len(labels)))
    backwards = [(name, list(reversed(values))) for name, values in series]
    return _drawn(chart, list(reversed(labels)), backwards, top)


def _options(height: int) -> dict[str, object]:
    return {
        "width": WIDTH,
        "height": height,
        "style": _STYLE,
        "css": (),
        "js": (),
        "no_prefix": True,
        "show_legend": False,
        "margin": 6,
        "margin_right": 16,
        "spacing": 8,
        "truncate_label": -1,
        "disable_xml_declaration": True,
    }


def _drawn(chart: pygal.Graph, labels: Sequence[str], series: Sequence[Series], top: int) -> Markup:
    shown = [clean(label, LONGEST_LABEL) for label in labels]
    chart.x_labels = shown
    chart.y_labels = ticks(top)
    chart.value_formatter = "{:,.0f}".format
    for name, values in series:
        told = [f"{clean(label)}: {name} {value:,}" for label, value in zip(labels, values, strict=True)]
        chart.add(name, [{"value": value, "label": text} for value, text in zip(values, told, strict=True)])
    return Markup(_plain(chart.render_tree()))  # noqa: S704 - a tree that was written by an XML writer


def ticks(top: int) -> list[int]:
    """Give whole numbers from 0 to just beyond the greatest value, in even steps."""
    step = next(unit * 10**power for power in range(16) for unit in (1, 2, 5) if unit * 10**power * (TICKS - 1) >= top)
    return list(range(0, step * -(-top // step) + 1, step))


def _plain(tree: ET.Element) -> str:
    """Leave of pygal's tree what is drawn: no script, no style, nothing that only its script would show."""
    for title in [child for child in tree if _name(child) == "title"]:
        tree.remove(title)
    for parent in list(tree.iter()):
        told = [child.text or "" for child in parent if _name(child) == "desc" and child.get("class") == "label"]
        for child in list(parent):
            if _name(child) in _DROPPED or child.get("class") in _UNUSED or _is_empty_bar(child):
                parent.remove(child)
        if told:
            ET.SubElement(parent, "title").text = told[0]
    for element in tree.iter():
        element.attrib.pop("id", None)
        for name in _MEASURES.intersection(element.keys()):
            element.set(name, _LONG_NUMBER.sub(r"\1", element.attrib[name]))
    tree.attrib = {"viewBox": tree.get("viewBox", ""), "class": "chart", "aria-hidden": "true", "focusable": "false"}
    text = ET.tostring(tree, encoding="unicode", method="xml")
    return text[text.index("<svg") :]


def _is_empty_bar(element: ET.Element) -> bool:
    return element.get("class") == "bar" and any(
        float(part.get(side, 1)) == 0 for part in element for side in ("width", "height")
    )


def _name(element: ET.Element) -> str:
    """Give an element's name without its namespace; a comment has none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "script"
