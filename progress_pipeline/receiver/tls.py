"""The receiver's certificate: loaded strictly, watched, and swapped without a failed request.

TLS 1.2 and 1.3 alone, with AEAD ciphers and forward secrecy alone (RFC 9325). Each load makes a context of its own,
which new connections get from then on; those that stand keep theirs. A pair that does not fit together, or is worse
than the one in use, is refused, and the old one serves on.
"""

import os
import ssl
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from progress_pipeline.clock import Clock
from progress_pipeline.errors import SettingsError

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of TLS 1.3 are all AEAD."""

_OTHERS = stat.S_IRWXO
_GROUP_WRITE = stat.S_IWGRP


@dataclass(frozen=True)
class Certificate:
    """What is to be known of a certificate: until when it holds, for whom, and whether its maker is itself."""

    path: Path
    subject: str
    not_before: datetime
    not_after: datetime
    is_self_signed: bool

    def days_left(self, now: datetime) -> float:
        """Tell how many days are left; less than 0 if it has expired."""
        return (self.not_after - now) / timedelta(days=1)


def read_certificate(path: Path) -> Certificate:
    """Read the first certificate of a PEM chain.

    Raises:
        SettingsError: There is none in the file, or no such file.
    """
    require_file(path, "PROGRESS_WEBHOOK_TLS_CERT")
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The certificate {path} cannot be read: {error}. PROGRESS_WEBHOOK_TLS_CERT must name a PEM file with the "
            "receiver's certificate, then the intermediate ones."
        ) from error
    return Certificate(
        path,
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.subject == certificate.issuer,
    )


def load_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make a context of a certificate and its key.

    Raises:
        SettingsError: They cannot be read, do not fit together, or the key is open to others.
    """
    check_key_is_private(key)
    require_file(certificate, "PROGRESS_WEBHOOK_TLS_CERT")
    require_file(key, "PROGRESS_WEBHOOK_TLS_KEY")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An empty password keeps OpenSSL from asking for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise SettingsError(
            f"The certificate {certificate} and the key {key} cannot be used together: {reason}. They must be PEM, "
            "unencrypted, and belong to each other."
        ) from error
    return context


def require_file(path: Path, setting: str) -> None:
    """Refuse what is there but no file: to open a pipe would wait for whoever writes into it, perhaps for ever.

    Raises:
        SettingsError: It is a pipe, a device or a folder.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # to open it will tell why
    if not stat.S_ISREG(mode):
        raise SettingsError(f"{path} is not a regular file. Set {setting} to a PEM file.")


def check_key_is_private(key: Path) -> None:
    """Refuse a private key that others may read or change.

    Raises:
        SettingsError: They may, or it cannot be looked at.
    """
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise SettingsError(
            f"The key {key} cannot be read: {error.strerror}. Set PROGRESS_WEBHOOK_TLS_KEY to the PEM file of the "
            "receiver's private key."
        ) from error
    if mode & (_OTHERS | _GROUP_WRITE):
        raise SettingsError(
            f"The key {key} is open to others (mode {stat.S_IMODE(mode):04o}). Run `chmod 600 {key}`, and have a new "
            "one made if this is a shared machine."
        )


class CertificatePair:
    """The pair in use, and whether its files have changed since."""

    def __init__(self, certificate_path: Path, key_path: Path, clock: Clock) -> None:
        self._certificate_path = certificate_path
        self._key_path = key_path
        self._clock = clock
        self._seen = self._signature()
        self.context = load_context(certificate_path, key_path)
        self.certificate = read_certificate(certificate_path)

    def reload_if_changed(self) -> bool:
        """Take the new pair if the files have changed; True if it was taken.

        Raises:
            SettingsError: The new pair is refused, which is said once; the old one serves on.
        """
        signature = self._signature()
        if signature == self._seen:
            return False
        self._seen = signature
        context = load_context(self._certificate_path, self._key_path)
        certificate = read_certificate(self._certificate_path)
        now = self._clock()
        is_valid = certificate.not_before <= now <= certificate.not_after
        if not is_valid and now <= self.certificate.not_after:
            raise SettingsError(
                f"The new certificate {certificate.path} is valid from {certificate.not_before:%Y-%m-%d %H:%M} to "
                f"{certificate.not_after:%Y-%m-%d %H:%M} UTC, which is not now."
            )
        self.context, self.certificate = context, certificate
        return True

    def _signature(self) -> tuple[object, ...]:
        """Tell the files' state, so that any change is seen; a file that is missing is a state too."""
        return tuple(map(_state, (self._certificate_path, self._key_path)))


def _state(path: Path) -> object:
    try:
        status = os.stat(path)  # noqa: PTH116 (follows the links that ACME clients use, as Path.stat does)
    except OSError as error:
        return error.errno
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_expiring(certificate: Certificate, now: datetime, days: int = 14) -> bool:
    """Tell whether a certificate should have been renewed by now; ACME clients renew 30 days ahead."""
    return certificate.days_left(now.astimezone(UTC)) < days
