"""A TLS scan (testssl, from Debian): nothing worse than its lowest grade of remark, but for the test's own authority.

The certificate is good in all that it says, and its authority is made known to the scanner; what such an authority
cannot have (a list of revocations, a record in the DNS) is listed apart.

    .venv/bin/python -m benchmarks.receiver_tls_scan
"""

import json
import subprocess

from benchmarks.receiver_rig import make_rig

OF_THE_TRIAL = ("cert_revocation", "DNS_CAArecord")
"""An authority made for a trial keeps no list of what it revoked, and localhost has no records in the DNS."""


def main() -> None:
    """Scan, and print what is worse than OK."""
    with make_rig() as rig, rig.receiver() as running:
        told = rig.folder / "scan.json"
        scan = ["/usr/bin/testssl", "--quiet", "--color", "0", "--add-ca", str(rig.authority), "--jsonfile", str(told)]
        scan.append(f"localhost:{running.port}")
        shown = subprocess.run(scan, capture_output=True, text=True, check=False).stdout
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
    assert len(findings) > 50, shown
    worse = set(grades) - {"OK", "INFO", "LOW"} - {grade for grade in grades if "trial" in grade}
    assert not worse, worse


if __name__ == "__main__":
    main()
