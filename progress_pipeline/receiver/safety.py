"""Decides whether the receiver may start on its settings. Every reason against it is told at once."""

import errno
import os
import re
from datetime import datetime
from pathlib import Path

from progress_pipeline.addresses import is_loopback
from progress_pipeline.errors import LandingError, SettingsError
from progress_pipeline.landing import durably, layout
from progress_pipeline.receiver import tls
from progress_pipeline.settings import PREFIX, Settings

_NAME = re.compile(r"[A-Za-z0-9._~-]+")
_SHORT_TOKEN = 16
_HOPELESS = frozenset({errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ELOOP})
_VALUE = re.compile(r"[!-~]+")

TAKEN_NAMES = frozenset(
    {
        *("accept", "accept-encoding", "cache-control", "connection", "content-encoding", "content-length"),
        *("content-type", "cookie", "date", "expect", "forwarded", "host", "keep-alive", "te", "trailer"),
        *("transfer-encoding", "upgrade", "user-agent", "via"),
        *("x-forwarded-for", "x-forwarded-proto", "x-real-ip"),
    }
)
"""Headers that have a meaning of their own, so that a token under their name would be taken for something else."""


def require_safe(settings: Settings) -> None:
    """Check that the receiver may start.

    Raises:
        SettingsError: It may not; the message gives every reason, and never a token's value.
    """
    problems = [*_token_problems(settings), *_transport_problems(settings)]
    if problems:
        reasons = "\n".join(f"  - {problem}" for problem in problems)
        raise SettingsError(f"The receiver does not start:\n{reasons}")


def require_folder(landing: Path) -> None:
    """Check that the landing folder is one that we may write; a disk that is only full or read-only now is no reason.

    Raises:
        LandingError: It is not, and waiting would not help.
    """
    folder = landing / layout.OPEN_FOLDER
    try:
        durably.make_folder(folder)
        if not os.access(folder, os.W_OK | os.X_OK) and not _is_read_only(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if error.errno in _HOPELESS:
            raise LandingError(
                f"Deliveries cannot be landed in {landing}: {error.strerror}. Give the receiver's user a folder of its "
                "own, and name it in PROGRESS_LANDING_DIR."
            ) from error


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def token_values(settings: Settings) -> list[str]:
    """Give the values that are accepted: the one in use and, while it is being changed, the next."""
    values = (settings.webhook_token_value, settings.webhook_token_value_next)
    return [value for secret in values if (value := secret.get_secret_value())]


def doubts(settings: Settings, now: datetime) -> list[str]:
    """Tell what is allowed but probably not meant."""
    found = []
    if any(len(value) < _SHORT_TOKEN for value in token_values(settings)):
        found.append(f"the webhook's token has less than {_SHORT_TOKEN} characters; have a longer one made")
    if not settings.webhook_plain_http and settings.webhook_tls_cert is not None:
        certificate = tls.read_certificate(settings.webhook_tls_cert)
        if certificate.is_self_signed:
            found.append(f"{certificate.path} is self-signed, and the vendor's sender refuses such certificates")
        if tls.is_expiring(certificate, now):
            found.append(f"{certificate.path} expires on {certificate.not_after:%Y-%m-%d %H:%M} UTC; have it renewed")
    if settings.webhook_metrics_port is not None and not is_loopback(settings.webhook_metrics_host):
        found.append(f"the metrics are open to whoever reaches {settings.webhook_metrics_host}")
    return found


def _token_problems(settings: Settings) -> list[str]:
    problems = []
    name = settings.webhook_token_name
    if not name:
        problems.append(f"{PREFIX}WEBHOOK_TOKEN_NAME is not set: without a token anybody could deliver")
    elif not _NAME.fullmatch(name):
        problems.append(
            f"{PREFIX}WEBHOOK_TOKEN_NAME may hold letters, digits and . _ ~ - only, to fit a header and a URL"
        )
    elif name.lower() in TAKEN_NAMES:
        problems.append(f"{PREFIX}WEBHOOK_TOKEN_NAME is {name!r}, a header with a meaning of its own; choose another")
    if not settings.webhook_token_value.get_secret_value():
        problems.append(f"{PREFIX}WEBHOOK_TOKEN_VALUE is not set: without a token anybody could deliver")
    for field in ("webhook_token_value", "webhook_token_value_next"):
        value = getattr(settings, field).get_secret_value()
        if value and not _VALUE.fullmatch(value):
            problems.append(f"{PREFIX}{field.upper()} may hold visible ASCII characters only, without spaces")
    return problems


def _transport_problems(settings: Settings) -> list[str]:
    certificate, key = settings.webhook_tls_cert, settings.webhook_tls_key
    if settings.webhook_plain_http:
        problems = []
        if not is_loopback(settings.webhook_host):
            problems.append(
                f"{PREFIX}WEBHOOK_PLAIN_HTTP is set, but {PREFIX}WEBHOOK_HOST is {settings.webhook_host}: plain HTTP "
                "is served on a loopback address alone, behind a proxy on this machine"
            )
        if certificate or key:
            problems.append(f"{PREFIX}WEBHOOK_PLAIN_HTTP is set, and a certificate too: take one of them away")
        return problems
    missing = [
        f"{PREFIX}{name}" for name, value in (("WEBHOOK_TLS_CERT", certificate), ("WEBHOOK_TLS_KEY", key)) if not value
    ]
    if missing or certificate is None or key is None:
        problem = (
            f"{' and '.join(missing)} not set, and the vendor pushes over TLS alone; behind a proxy on this machine "
            f"that does TLS, set {PREFIX}WEBHOOK_PLAIN_HTTP=true"
        )
        return [problem]
    try:
        tls.load_context(certificate, key)
        tls.read_certificate(certificate)
    except SettingsError as error:
        return [str(error)]
    return []
