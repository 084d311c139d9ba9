"""Reading a `_models.yml`: what a folder's SQL files cannot say of themselves.

Only the form is judged here: known keys, the right types, a line for each entry. Whether an entry fits its SQL is for
`models.py` and `checking.py`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from progress_pipeline.errors import ModelError

METADATA_FILE = "_models.yml"


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the YAML says of one model; `docs/models.md` explains each key."""

    description: str
    grain: str
    key: tuple[str, ...]
    materialized: Literal["view", "table", "incremental"] = "view"
    columns: dict[str, str] = {}
    sorted_by: tuple[str, ...] = ()
    incremental_by: str | tuple[str, ...] = ()
    found_by: dict[str, str] = {}
    found_through: dict[str, str] = {}
    read_whole: tuple[str, ...] = ()
    keys_from: dict[str, str] = {}
    also_keys: str = ""
    rebuild_when: str = ""
    updated_in_place: tuple[str, ...] = ()


class CheckEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the YAML says of one check."""

    model: str
    description: str
    what_to_do: str
    severity: Literal["error", "warn"] = "error"
    blocking: bool = False


@dataclass(frozen=True)
class Metadata:
    """One `_models.yml`.

    Attributes:
        path: The file.
        models: The entries below `models:`, by name.
        checks: The entries below `checks:`, by name.
        lines: The line of each entry, by name.
    """

    path: Path
    models: dict[str, ModelEntry]
    checks: dict[str, CheckEntry]
    lines: dict[str, int]

    def where(self, name: str) -> str:
        """Give `file:line` of an entry, for a message."""
        return f"{self.path}:{self.lines.get(name, 1)}"


def read_metadata(folder: Path) -> Metadata:
    """Read a folder's `_models.yml`; a folder without one has no entries.

    Raises:
        ModelError: It is no YAML, or an entry has an unknown key or a value of the wrong type.
    """
    path = folder / METADATA_FILE
    if not path.exists():
        return Metadata(path, {}, {}, {})
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ModelError(f"{path}: this is no YAML: {error}") from error
    models: dict[str, ModelEntry] = {}
    checks: dict[str, CheckEntry] = {}
    lines: dict[str, int] = {}
    for section, section_line, content in _pairs(root, path):
        if section not in {"models", "checks"}:
            raise ModelError(f"{path}:{section_line}: `{section}` is not known; a file has `models:` or `checks:`.")
        for name, line, node in _pairs(content, path):
            lines[name] = line
            value = yaml.SafeLoader("").construct_object(node, deep=True)
            try:
                if section == "models":
                    models[name] = msgspec.convert(value, ModelEntry)
                else:
                    checks[name] = msgspec.convert(value, CheckEntry)
            except msgspec.ValidationError as error:
                raise ModelError(f"{path}:{line}: {name}: {error}") from error
    return Metadata(path, models, checks, lines)


def _pairs(node: yaml.Node | None, path: Path) -> list[tuple[str, int, yaml.Node]]:
    """Give the keys of a mapping, with their lines and values."""
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in {"", "null", "~"}):
        return []
    if not isinstance(node, yaml.MappingNode):
        raise ModelError(f"{path}:{node.start_mark.line + 1}: names with their entries are expected here.")
    found: dict[str, tuple[int, yaml.Node]] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.value in found:
            raise ModelError(f"{path}:{line}: {key.value} stands here twice.")
        found[key.value] = (line, value)
    return [(name, line, value) for name, (line, value) in found.items()]
