"""The settings of alerts, a part of `Settings`: where they go, and what proves that they are ours.

Both channels are optional, and with neither nothing is ever sent. A webhook's URL is a secret too: many services put
their token into its path.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from progress_pipeline.addresses import is_loopback, parts_of

SHORTEST_SIGNING_KEY = 16
_MAIL = "PROGRESS_ALERT_SMTP_HOST, PROGRESS_ALERT_FROM and PROGRESS_ALERT_TO"


class AlertSettings(BaseSettings):
    """What a run is told of alerts. Each field is the environment variable `PROGRESS_<FIELD>`."""

    alert_webhook_url: SecretStr = Field(
        SecretStr(""), description="An https URL that alerts are posted to as JSON; empty for none."
    )
    alert_webhook_token: SecretStr = Field(SecretStr(""), description="A bearer token to send along.")
    alert_webhook_key: SecretStr = Field(
        SecretStr(""),
        description="A key to sign alerts with, as standardwebhooks.com has it: `whsec_…`, or 16 characters or more.",
    )
    alert_smtp_host: str = Field("", description="A mail server that alerts are sent by; empty for none.")
    alert_smtp_port: Annotated[int, Field(ge=1, le=65_535)] = Field(587, description="Its port.")
    alert_smtp_security: str = Field(
        "starttls",
        pattern="^(starttls|tls|none)$",
        description="starttls, tls (from the first byte, port 465 as a rule), or none, for a server on this machine.",
    )
    alert_smtp_user: str = Field("", description="Who to log in as; empty for no login.")
    alert_smtp_password: SecretStr = Field(SecretStr(""), description="The password for that.")
    alert_from: str = Field("", description="The address that mails come from.")
    alert_to: str = Field("", description="The addresses that they go to, with commas between them.")
    alert_ca_file: Path | None = Field(
        None, description="Certificates (PEM) to trust in place of the system's, for servers of one's own."
    )

    @field_validator("alert_ca_file", mode="before")
    @classmethod
    def _no_ca_file_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _alerts_travel_safely(self) -> Self:
        """Refuse a channel that would send in the clear, or is half set."""
        url = self.alert_webhook_url.get_secret_value()
        parts = parts_of(url)
        if url and not (parts.scheme == "https" and parts.hostname):
            raise ValueError("PROGRESS_ALERT_WEBHOOK_URL must be a whole https:// URL")
        key = self.alert_webhook_key.get_secret_value()
        if 0 < len(key) < SHORTEST_SIGNING_KEY:
            raise ValueError(f"PROGRESS_ALERT_WEBHOOK_KEY needs {SHORTEST_SIGNING_KEY} characters or more")
        mail = (self.alert_smtp_host, self.alert_from, self.alert_recipients)
        if any(mail) and not all(mail):
            raise ValueError(f"mail takes all three of {_MAIL}")
        if self.alert_smtp_security == "none" and self.alert_smtp_host and not is_loopback(self.alert_smtp_host):
            raise ValueError("PROGRESS_ALERT_SMTP_SECURITY may be none only for a mail server on this machine")
        return self

    @property
    def alert_recipients(self) -> tuple[str, ...]:
        """The addresses that mails go to."""
        return tuple(each.strip() for each in self.alert_to.split(",") if each.strip())

    @property
    def has_alerts(self) -> bool:
        """Whether alerts go anywhere."""
        return bool(self.alert_webhook_url.get_secret_value() or self.alert_smtp_host)
