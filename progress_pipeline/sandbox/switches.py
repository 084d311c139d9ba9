"""Reading switches from text and JSON, for the command line and the control address."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.config import SandboxConfig

TYPES: dict[str, Any] = {switch.name: switch.type for switch in fields(SandboxConfig)}


def read_switches(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read switches from JSON values; spans of time are seconds.

    Raises:
        UsageError: There is no such switch, or its value is none that it can have.
    """
    unknown = [name for name in values if name not in TYPES]
    if unknown:
        raise UsageError(f"The sandbox has no switch {', '.join(unknown)}.")
    read = {}
    for name, value in values.items():
        try:
            read[name] = msgspec.convert(value, TYPES[name], strict=False, str_keys=True, dec_hook=_read_other)
        except msgspec.ValidationError as error:
            raise UsageError(f"The sandbox's {name} cannot be {value!r}: {error}.") from error
    return read


def read_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Read switches from texts such as `page_cap=100` or `shares={"push_lost": 0.01}`; a value is JSON or bare text.

    Raises:
        UsageError: A text is no assignment, or `read_switches` refuses it.
    """
    values = {}
    for text in texts:
        name, is_assigned, value = text.partition("=")
        if not is_assigned:
            raise UsageError(f"A switch is set as name=value, not {text!r}.")
        try:
            values[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            values[name] = value
    return read_switches(values)


def _read_other(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(f"a switch of type {kind}")
