"""A TLS scan (testssl, from Debian): nothing worse than its lowest grade of remark; certificates changed under load.

The certificate is good in all that it says, and its authority is made known to the scanner.

    .venv/bin/python -m benchmarks.receiver_tls_scan
"""

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from benchmarks.receiver_bounds import Bounds
from benchmarks.receiver_rig import Rig, Told, make_rig, read_ids, run_writers

GOOD = frozenset({"OK", "INFO", "LOW"})
CHANGES = 10
WRITERS = 8


def change_certificates(bounds: Bounds) -> None:
    """Change the certificate again and again under writers that connect anew all the time."""
    with make_rig() as rig, rig.receiver() as running:

        def change(_: Told) -> None:
            for _number in range(CHANGES):
                time.sleep(1.0)
                rig.issue()
            time.sleep(2.0)

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


def issue_with_revocation(rig: Rig) -> None:
    """Put a certificate in place that names a list of revocations, as those of public authorities do."""
    today = datetime.now(UTC)
    authority = x509.load_pem_x509_certificate(rig.trustme.cert_pem.bytes())
    signer = load_pem_private_key(rig.trustme.private_key_pem.bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://localhost/revoked.crl")], None, None, None)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=89))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    rig.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    rig.certificate.write_bytes(made.public_bytes(Encoding.PEM))


def scan(bounds: Bounds) -> None:
    """Scan, and print what is worse than OK."""
    with make_rig() as rig:
        issue_with_revocation(rig)
        with rig.receiver() as running:
            told = rig.folder / "scan.json"
            command = [
                "/usr/bin/testssl",
                "--quiet",
                "--color",
                "0",
                "--add-ca",
                str(rig.authority),
                "--jsonfile",
                str(told),
            ]
            subprocess.run([*command, f"localhost:{running.port}"], capture_output=True, check=False)
            findings = json.loads(told.read_text())
    grades: dict[str, list[str]] = {}
    for finding in findings:
        grades.setdefault(finding["severity"], []).append(f"{finding['id']}: {finding['finding']}")
    for grade, lines in sorted(grades.items()):
        print(f"{grade}: {len(lines)}")
        if grade not in {"OK", "INFO"}:
            print("\n".join(f"    {line}" for line in lines))
    bounds.at_least("findings", len(findings), 50)
    bounds.none("findings worse than LOW", sum(len(lines) for grade, lines in grades.items() if grade not in GOOD))
    bounds.told("findings of grade LOW", "; ".join(grades.get("LOW", ["none"])))


def main() -> None:
    """Scan, then change certificates."""
    bounds = Bounds("a TLS scan by testssl, and certificates changed under load")
    scan(bounds)
    change_certificates(bounds)
    bounds.end()


if __name__ == "__main__":
    main()
