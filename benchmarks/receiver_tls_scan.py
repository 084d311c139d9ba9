"""A TLS scan (testssl, from Debian): nothing worse than its lowest grade of remark, but for the test's own authority.

The certificate is good in all that it says, and its authority is made known to the scanner; what such an authority
cannot have (a list of revocations, a record in the DNS) is listed apart.

    .venv/bin/python -m benchmarks.receiver_tls_scan
"""

import json
import subprocess
import time

from benchmarks.receiver_bounds import Bounds
from benchmarks.receiver_rig import Told, make_rig, read_ids, run_writers

GOOD = frozenset({"OK", "INFO", "LOW"})
CHANGES = 10
WRITERS = 8

OF_THE_TRIAL = ("cert_revocation", "DNS_CAArecord")
"""An authority made for a trial keeps no list of what it revoked, and localhost has no records in the DNS."""


def change_certificates(bounds: Bounds) -> None:
    """Change the certificate again and again under writers that connect anew all the time."""
    with make_rig() as rig, rig.receiver() as running:

        def change(_: Told) -> None:
            for _number in range(CHANGES):
                time.sleep(1.0)
                rig.issue()

        written = run_writers(running, WRITERS, change, per_connection=5)
        running.process.terminate()
        ending = running.process.wait(10)
        taken = rig.log.read_text().count("the certificate was changed")
        missing = len(written.acknowledged - set(read_ids(rig.landing)))
    bounds.at_least("certificates taken", taken, CHANGES)
    bounds.at_least("deliveries meanwhile", written.statuses.get(200, 0), 100)
    bounds.none("answers other than 200", sum(written.statuses.values()) - written.statuses.get(200, 0))
    bounds.none("connections that failed", written.broken_off + written.not_connected)
    bounds.none("acknowledged but missing", missing)
    bounds.holds("the receiver ended well", ending == 0)


def main() -> None:
    """Scan, and print what is worse than OK."""
    with make_rig() as rig, rig.receiver() as running:
        told = rig.folder / "scan.json"
        scan = ["/usr/bin/testssl", "--quiet", "--color", "0", "--add-ca", str(rig.authority), "--jsonfile", str(told)]
        scan.append(f"localhost:{running.port}")
        subprocess.run(scan, capture_output=True, check=False)
        findings = json.loads(told.read_text())
    grades: dict[str, list[str]] = {}
    for finding in findings:
        line = f"{finding['id']}: {finding['finding']}"
        is_own = finding["id"].split()[0].startswith(OF_THE_TRIAL)
        grades.setdefault(f"{finding['severity']}{' (the trial itself)' if is_own else ''}", []).append(line)
    for grade, lines in sorted(grades.items()):
        print(f"{grade}: {len(lines)}")
        if grade not in {"OK", "INFO"}:
            print("\n".join(f"    {line}" for line in lines))
    worse = [line for grade, lines in grades.items() if grade not in GOOD and "trial" not in grade for line in lines]
    bounds = Bounds("a TLS scan by testssl, and certificates changed under load")
    bounds.at_least("findings", len(findings), 50)
    bounds.none("findings worse than LOW", len(worse))
    bounds.told("findings of grade LOW", "; ".join(grades.get("LOW", ["none"])))
    bounds.told("overall grade", next((f["finding"] for f in findings if f["id"] == "overall_grade"), "none given"))
    change_certificates(bounds)
    bounds.end()


if __name__ == "__main__":
    main()
