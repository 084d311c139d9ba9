"""Gathers the evidence for one verdict or for a span, and copies it for an outsider to check.

Rows come from the warehouse, pages from where the client kept them, bodies from the landing folder. Each page and body
is held against the hash that was written down when it came. No secret of the settings leaves: where a body holds one,
its characters are left out and the copy says so.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from progress_pipeline.clock import system_clock
from progress_pipeline.errors import UsageError
from progress_pipeline.landing import layout
from progress_pipeline.landing.finding import LandedFile
from progress_pipeline.landing.reading import LandedDelivery, read_file
from progress_pipeline.reconcile.reasoning import reasons_of_gap, reasons_of_span
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.pages import KeptPages
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.evidence import Sections, evidence_of_gap, evidence_of_span, landed_files

LEFT_OUT = "<left out>"


@dataclass(frozen=True)
class EvidenceFile:
    """A page or a body behind the evidence.

    Attributes:
        name: Its name in a folder of evidence.
        sha256: The hash that was written down when it came.
        found: `as told` if the bytes are there with that hash, `differs`, or `not kept`.
        copy_sha256: Hash of the copy, where a secret was left out of it.
    """

    name: str
    sha256: str | None
    found: str
    copy_sha256: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What stands behind one verdict, or of a span.

    Attributes:
        subject: What it is about.
        reasoning: Sentences that the rows bear out.
        sections: Rows of the warehouse, by section.
        files: Pages and bodies.
    """

    subject: str
    reasoning: tuple[str, ...]
    sections: Mapping[str, list[dict[str, Any]]]
    files: tuple[EvidenceFile, ...] = field(default=())


def gather_for_gap(settings: Settings, gap_id: str, out: Path | None = None) -> Evidence:
    """Gather what stands behind the verdict on a gap.

    Args:
        settings: The settings.
        gap_id: The gap, or an unmistakable beginning of its name.
        out: A new or empty folder for copies; None copies nothing.

    Raises:
        UsageError: There is no such gap, or the folder holds something.
    """
    _demand_room(out)
    with connect(settings.warehouse_path, read_only=True) as connection:
        sections = evidence_of_gap(connection, gap_id)
        landed = landed_files(connection)
    if sections is None:
        raise UsageError(f"No gap, or more than one, is called {gap_id}. `progress-pipeline gaps` lists them.")
    subject = f"gap {sections['gap'][0]['gap_id']}"
    return _gathered(settings, Evidence(subject, reasons_of_gap(sections), sections), landed, out)


def gather_for_span(settings: Settings, first: date, last: date, out: Path | None = None) -> Evidence:
    """Gather what was asked, answered, delivered and refused of a span of days (UTC).

    Args:
        settings: The settings.
        first: Its first day.
        last: Its last day.
        out: A new or empty folder for copies; None copies nothing.

    Raises:
        UsageError: The span ends before it begins, or the folder holds something.
    """
    if last < first:
        raise UsageError(f"--to {last} is before --from {first}; give the earlier day as --from.")
    _demand_room(out)
    start, end = datetime.combine(first, time()), datetime.combine(last, time()) + timedelta(days=1)
    with connect(settings.warehouse_path, read_only=True) as connection:
        sections = evidence_of_span(connection, start, end)
        landed = landed_files(connection)
    evidence = Evidence(f"{first} to {last}", reasons_of_span(sections), sections)
    return _gathered(settings, evidence, landed, out)


def _demand_room(out: Path | None) -> None:
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds something already; give a new folder with --out.")


def _gathered(
    settings: Settings, evidence: Evidence, landed: Mapping[str, tuple[str, str]], out: Path | None
) -> Evidence:
    """Check the bytes behind the rows, leave secrets out, and copy if asked to."""
    clean = _cleaner(settings)
    sections: Sections = msgspec.convert(
        msgspec.json.decode(clean(msgspec.json.encode(evidence.sections, enc_hook=str))), Sections
    )
    files = []
    bodies = [*_pages(settings, evidence.sections["calls"])]
    for name, told, body in [*bodies, *_deliveries(settings, evidence.sections["deliveries"], landed)]:
        files.append(_checked(name, told, body, clean(body) if body is not None else None))
        if out is not None and body is not None:
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(clean(body))
    told_files = tuple(files)
    done = Evidence(evidence.subject, evidence.reasoning, sections, told_files)
    if out is not None:
        _write_account(out, done)
    return done


def _checked(name: str, told: str | None, body: bytes | None, copy: bytes | None) -> EvidenceFile:
    if body is None or copy is None:
        return EvidenceFile(name, told, "not kept")
    found = "as told" if hashlib.sha256(body).hexdigest() == told else "differs"
    return EvidenceFile(name, told, found, hashlib.sha256(copy).hexdigest() if copy != body else None)


def _pages(settings: Settings, calls: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str | None, bytes | None]]:
    kept = KeptPages(settings.pages_path)
    for call in calls:
        if call["sha256"] is not None:
            body = kept.read(call["call_id"], call["counted_at"].replace(tzinfo=UTC))
            yield f"pages/call-{call['call_id']}.json", call["sha256"], body


def _deliveries(
    settings: Settings, deliveries: Iterable[Mapping[str, Any]], landed: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, str | None, bytes | None]]:
    """Give the bodies, each landed file being read once."""
    by_file: dict[str, dict[str, str]] = defaultdict(dict)
    for each in deliveries:
        by_file[each["file"] or ""][each["delivery_id"]] = each["sha256"]
    for file, wanted in by_file.items():
        found = _bodies(settings.landing_path, file, landed.get(file))
        for delivery_id, told in wanted.items():
            name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in delivery_id)
            yield f"deliveries/{name}.body", told, found.get(told)


def _bodies(landing: Path, file: str, known: tuple[str, str] | None) -> dict[str, bytes]:
    """Read the deliveries of a landed file, wherever it was put, by hash."""
    if known is None:
        return {}
    file_id, kind = known
    for full in (landing / file, layout.archived(landing, file, file_id)):
        if full.is_file():
            there = LandedFile(file_id, file, kind, 0, 0, str(full.relative_to(landing)))
            found = read_file(landing, there, now=system_clock())
            return {one.sha256: one.body for one in found if isinstance(one, LandedDelivery)}
    return {}


def _cleaner(settings: Settings) -> Callable[[bytes], bytes]:
    """Make what leaves the secrets of the settings out."""
    secrets = [
        value.get_secret_value().encode()
        for name in type(settings).model_fields
        if isinstance(value := getattr(settings, name), SecretStr) and value.get_secret_value()
    ]

    def clean(body: bytes) -> bytes:
        for secret in secrets:
            body = body.replace(secret, LEFT_OUT.encode())
        return body

    return clean


def _write_account(out: Path, evidence: Evidence) -> None:
    """Write the account, the manifest and the sums that `sha256sum -c` checks."""
    out.mkdir(parents=True, exist_ok=True)
    account = msgspec.json.format(msgspec.json.encode(evidence, enc_hook=str), indent=2)
    (out / "manifest.json").write_bytes(account)
    sums = [f"{each.copy_sha256 or each.sha256}  {each.name}\n" for each in evidence.files if each.found == "as told"]
    sums.append(f"{hashlib.sha256(account).hexdigest()}  manifest.json\n")
    (out / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
