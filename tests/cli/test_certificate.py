"""`status` tells days ahead when the webhook's certificate ends, and what is wrong if it cannot be read."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.cli.conftest import Call


@pytest.mark.parametrize(("days", "is_expiring"), [(40, False), (13, True)])
def test_status_tells_when_the_certificate_ends(call: Call, tmp_path: Path, days: int, is_expiring: bool) -> None:
    """With a word to have it renewed when it should have been: ACME clients renew 30 days ahead."""
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    issued = trustme.CA().issue_cert("hooks.example.org", not_after=end)
    (tmp_path / "cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    told = {"PROGRESS_WEBHOOK_TLS_CERT": str(tmp_path / "cert.pem")}
    shown = call("status", **told)
    assert f"in {days} days" in shown.out
    assert ("have it renewed" in shown.out) == is_expiring
    assert json.loads(call("status", "--json", **told).out)["certificate"]["is_expiring"] == is_expiring


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_a_certificate_that_cannot_be_read_is_told_and_hides_nothing_else(
    call: Call, tmp_path: Path, content: bytes | None
) -> None:
    """Whoever asks for the standing may not be who may read it."""
    if content is not None:
        (tmp_path / "cert.pem").write_bytes(content)
    shown = call("status", PROGRESS_WEBHOOK_TLS_CERT=str(tmp_path / "cert.pem"))
    assert shown.exit_code == 0
    assert "cert.pem cannot be read" in shown.out
