"""The evidence behind a verdict can be read by a person, by a program, and checked by an outsider."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from progress_pipeline.cli.app import app
from progress_pipeline.errors import UsageError
from tests.models.plain_loading import PlainLoader
from tests.models.planted import Play
from tests.models.planting import RUNS

FAULTS = ("one push lost", "a receiver refusing for 20 minutes", "API rows withheld for two days")


@dataclass(frozen=True)
class Told:
    """A played vendor, and how commands are called on what was loaded of it."""

    folder: Path
    environment: dict[str, str]
    secrets: tuple[str, str]
    gaps: dict[str, str]

    def call(self, *arguments: str) -> Result:
        """Call `evidence`."""
        return CliRunner().invoke(app, ["evidence", *arguments], env=self.environment)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Four days with faults, whose pushes hold the webhook's token in their bodies, as they did in 2017."""
    folder = tmp_path_factory.mktemp("evidence")
    played = Play(
        3, "per_update", folder / "data", registrations=60, loader=PlainLoader, switches={"push_shape": "flat"}
    )
    with played.running(*FAULTS) as (sandbox, pipeline, _):
        for now in RUNS:
            played.day(sandbox, pipeline, now)
        gaps = dict(pipeline.values("select cause, min(gap_id) from audit.gaps group by all"))
        environment = {
            "PROGRESS_API_URL": sandbox.api_url,
            "PROGRESS_API_TOKEN": sandbox.token,
            "PROGRESS_WEBHOOK_TOKEN_VALUE": sandbox.push_token,
            "PROGRESS_DATA_DIR": str(folder / "data"),
        }
        yield Told(folder, environment, (sandbox.token, sandbox.push_token), gaps)


def test_a_lost_push_is_accounted_for(told: Told) -> None:
    """Who told it and when, the deliveries around it, that nothing was refused, and the conclusion."""
    shown = told.call("--gap", told.gaps["lost"]).stdout
    assert "The API told transaction" in shown
    assert "the last before was at" in shown
    assert "Our receiver refused 0 requests at that time" in shown
    assert "the push was lost by itself" in shown
    assert "held against the hashes" in shown
    assert "not kept" not in shown


def test_what_our_own_receiver_refused_stands_by_its_journal(told: Told) -> None:
    """The lines of the journal are among the evidence, for a program too."""
    found = json.loads(told.call("--gap", told.gaps["receiver_refusing"], "--json").stdout)
    assert any("by its journal" in sentence for sentence in found["reasoning"])
    assert {each["http_status"] for each in found["sections"]["refusals"]} == {401}


def test_what_the_api_withheld_names_the_windows_that_asked_for_it(told: Told) -> None:
    """Proven windows before the call that brought it at last."""
    found = json.loads(told.call("--gap", told.gaps["withheld"][:12], "--json").stdout)
    assert any("asked for it after it was told, and did not show it" in sentence for sentence in found["reasoning"])
    (gap,) = found["sections"]["gap"]
    before = [each for each in found["sections"]["windows"] if each["last_call_id"] < gap["told_by_call_id"]]
    assert before
    assert {each["call_id"] for each in found["sections"]["calls"]} > {each["last_call_id"] for each in before}


def test_an_outsider_can_check_the_copies(told: Told) -> None:
    """Each page and body stands beside the manifest, with the hash of when it came; no token is in any of them."""
    out = told.folder / "copies"
    done = told.call("--from", "2026-01-05", "--to", "2026-01-06", "--out", str(out))
    assert "2 of 2 days are proven complete" in done.stdout
    sums = [line.split("  ") for line in (out / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert {name for _, name in sums} == {str(each.relative_to(out)) for each in out.rglob("*.*")}
    for sha256, name in sums:
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == sha256
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert {each["found"] for each in manifest["files"]} == {"as told"}
    kinds = {each["name"].partition("/")[0] for each in manifest["files"]}
    assert kinds == {"pages", "deliveries"}
    everything = done.stdout.encode() + b"".join(each.read_bytes() for each in out.rglob("*.*"))
    assert not [secret for secret in told.secrets if secret.encode() in everything]


def test_a_page_that_was_changed_or_dropped_is_said_to_be(told: Told) -> None:
    """The hash of when it came stands; the bytes no longer bear it out."""
    pages = sorted((told.folder / "data" / "evidence" / "pages").rglob("*.zst"))
    pages[0].write_bytes(pages[1].read_bytes())
    pages[-1].unlink()
    found = json.loads(told.call("--from", "2026-01-04", "--to", "2026-01-08", "--json").stdout)
    by_name = {each["name"]: each["found"] for each in found["files"]}
    assert by_name[f"pages/{pages[0].name.removesuffix('.zst')}"] == "differs"
    assert "not kept" in by_name.values()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "either --gap, or --from and --to"),
        (("--gap", "f00", "--from", "2026-01-01"), "either --gap, or --from and --to"),
        (("--gap", "no-such-gap"), "progress-pipeline gaps"),
        (("--from", "2026-01-06", "--to", "2026-01-05"), "earlier day"),
        (("--from", "2026-01-05", "--out", "."), "holds something already"),
    ],
)
def test_wrong_use_is_told(told: Told, arguments: tuple[str, ...], said: str) -> None:
    """With what to do instead; nothing is written."""
    error = told.call(*arguments).exception
    assert isinstance(error, UsageError)
    assert said in str(error)
