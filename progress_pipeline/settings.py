"""All settings, from the environment or `.env`, in one typed class.

They are read when a command or a run starts, never at import, so that the code location loads with an empty
environment. Tokens are secrets: they appear in no repr, log or error.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from progress_pipeline.addresses import is_loopback, parts_of
from progress_pipeline.alert_settings import AlertSettings
from progress_pipeline.clock import is_zone, system_clock
from progress_pipeline.errors import SettingsError, UsageError

ROLLING = "rolling"
PREFIX = "PROGRESS_"
SHORTEST_KEY = 16


class Settings(AlertSettings):
    """What a run is told from outside. Each field, those of `AlertSettings` too, is the variable `PROGRESS_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, validate_default=True
    )

    api_url: str = Field("", description="The vendor's full endpoint, https://…/api/reports/progress.")
    api_token: SecretStr = Field(SecretStr(""), description="The token for the API; sent in the body alone.")
    api_page_size: Annotated[int, Field(ge=1, le=100_000)] = Field(1000, description="Records asked for in one call.")
    api_daily_calls: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        500, description="Calls that the vendor grants in a day."
    )
    api_count_day: str = Field(
        ROLLING,
        description="When the vendor's day of calls begins: `rolling` (any 24 hours, right whatever the vendor does), "
        "or a time zone such as `UTC`, whose midnight it is.",
    )
    start_date: Annotated[date, Field(ge=date(1970, 1, 1))] = Field(
        date(2000, 1, 1), description="First day to cover, in UTC. The default is before anything the vendor can have."
    )
    lookback_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        2,
        description="Days before the end of coverage that each daily pull asks again, for what appears late.",
    )
    settle_minutes: Annotated[int, Field(ge=0, le=525_600)] = Field(
        120, description="Minutes that both witnesses are given before a disagreement counts as a gap."
    )
    fill_order: str = Field(
        "oldest",
        pattern="^(oldest|newest)$",
        description="Which end a long first fill begins at: oldest or newest.",
    )
    data_dir: Path = Field(Path("data"), description="Where everything that a run writes stands.")
    landing_dir: Path | None = Field(None, description="Landed webhook files; `<data>/landing/webhook` if unset.")
    landing_after_load: str = Field(
        "keep",
        pattern="^(keep|archive|compact)$",
        description="What becomes of landed files once loaded: keep, archive (moved aside) or compact (packed).",
    )
    warehouse: Path | None = Field(None, description="The DuckDB file; `<data>/warehouse/progress.duckdb` if unset.")
    published: Path | None = Field(
        None, description="The file for analysts; `<data>/published/progress.duckdb` if unset."
    )
    validity_file: Path | None = Field(
        None, description="A CSV of how long completions are valid: activity_id,valid_months,valid_days."
    )
    personal_data: str = Field(
        "full",
        pattern="^(full|pseudonyms|none)$",
        description="What the published file tells of persons: full, pseudonyms (keyed) or none.",
    )
    pseudonym_key: SecretStr = Field(
        SecretStr(""), description="The secret that pseudonyms are made with, 16 characters or more."
    )
    published_parquet: bool = Field(default=True, description="Publish a folder of Parquet files beside the file.")
    report: bool = Field(default=True, description="Write the report, one HTML page, beside the published file.")
    schedule_hour: Annotated[int, Field(ge=0, le=23)] = Field(5, description="Hour of the daily run.")
    schedule_timezone: str = Field("UTC", description="Time zone of that hour.")
    webhook_token_name: str = Field("", description="Name under which the vendor sends the webhook's token.")
    webhook_token_value: SecretStr = Field(SecretStr(""), description="Value of the webhook's token.")
    webhook_token_value_next: SecretStr = Field(
        SecretStr(""), description="A second value that is accepted too, while the token is being changed."
    )
    webhook_host: str = Field("127.0.0.1", description="Address that the receiver listens on.")
    webhook_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        8443, description="Port that it listens on; 0 lets the system choose."
    )
    webhook_tls_cert: Path | None = Field(None, description="The receiver's certificate chain, PEM.")
    webhook_tls_key: Path | None = Field(
        None, description="The receiver's private key, PEM, closed to others (mode 0600 or 0640)."
    )
    webhook_plain_http: bool = Field(
        default=False,
        description="Serve plain HTTP, on a loopback address alone, because a proxy on this machine does TLS.",
    )
    webhook_metrics_host: str = Field("127.0.0.1", description="Address that the receiver shows its metrics on.")
    webhook_metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        9464, description="Port for metrics; 0 lets the system choose, and without one there are none."
    )
    webhook_log_format: str = Field(
        "plain", pattern="^(plain|json)$", description="How the receiver logs: plain or json."
    )

    @field_validator("api_count_day", "schedule_timezone")
    @classmethod
    def _known_zone(cls, value: str, info: ValidationInfo) -> str:
        """Accept the names that the time zone database knows, and `rolling` as the vendor's day of calls."""
        if (value == ROLLING and info.field_name == "api_count_day") or is_zone(value):
            return value
        raise ValueError(f"{value!r} is no time zone; give a name such as UTC or Europe/Zurich")

    @field_validator(
        *("start_date", "data_dir", "landing_dir", "warehouse", "published", "validity_file"),
        *("webhook_tls_cert", "webhook_tls_key"),
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object, info: ValidationInfo) -> object:
        """Take an empty variable as one that is not set; as a path it would mean the current folder."""
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @field_validator("webhook_metrics_port", mode="before")
    @classmethod
    def _empty_is_no_port(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _pseudonyms_have_a_key(self) -> Self:
        """Refuse a key that could be guessed, which would give the persons away."""
        if self.personal_data == "pseudonyms" and len(self.pseudonym_key.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"{PREFIX}PSEUDONYM_KEY needs {SHORTEST_KEY} characters or more, to make pseudonyms with")
        return self

    @property
    def landing_path(self) -> Path:
        """The folder of landed webhook files."""
        return self.landing_dir or self.data_dir / "landing" / "webhook"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that runs write."""
        return self.warehouse or self.data_dir / "warehouse" / "progress.duckdb"

    @property
    def published_path(self) -> Path:
        """The DuckDB file that analysts read."""
        return self.published or self.data_dir / "published" / "progress.duckdb"

    @property
    def ledger_path(self) -> Path:
        """The calls ledger (SQLite); it outlives the warehouse, since the vendor's day does too."""
        return self.data_dir / "ledger" / "calls.sqlite"

    @property
    def alerts_path(self) -> Path:
        """The outbox of alerts (SQLite): what was sent, and what waits."""
        return self.data_dir / "alerts" / "outbox.sqlite"

    @property
    def pages_path(self) -> Path:
        """The folder of the vendor's answers, as they came."""
        return self.data_dir / "evidence" / "pages"

    @property
    def history_path(self) -> Path:
        """Dagster's home: the history of runs."""
        return self.data_dir / "dagster"

    @property
    def api_host(self) -> str | None:
        """The host of the vendor's endpoint, if there is one."""
        return parts_of(self.api_url).hostname

    @property
    def api_is_on_this_machine(self) -> bool:
        """Whether the vendor's endpoint is a double on this machine, to which a token may travel without TLS."""
        return is_loopback(self.api_host or "")

    def require_api(self) -> None:
        """Check that the vendor can be asked at all.

        Raises:
            SettingsError: The endpoint or the token is missing, or the endpoint is not one that a token may travel to.
        """
        missing = [
            name
            for name, value in (("API_URL", self.api_url), ("API_TOKEN", self.api_token.get_secret_value()))
            if not value.strip()
        ]
        if missing:
            raise SettingsError(
                f"The vendor cannot be asked, for want of {' and '.join(PREFIX + name for name in missing)}. Set it in "
                "the environment or in .env, or try `progress-pipeline demo`, which needs no vendor."
            )
        url = parts_of(self.api_url)
        if url.scheme not in {"https", "http"} or not url.hostname:
            raise SettingsError(
                "PROGRESS_API_URL is no URL; it must be the vendor's full endpoint, like "
                "https://…/api/reports/progress. Correct the environment or .env."
            )
        if url.scheme == "http" and not self.api_is_on_this_machine:
            raise SettingsError(
                f"PROGRESS_API_URL must begin with https://, since the token travels to {url.hostname}. Correct the "
                "environment or .env."
            )

    def require_past(self, as_of: datetime) -> None:
        """Check that an instant can be taken as now: what has not happened yet, no vendor can be complete about.

        A double on this machine plays time, so there any instant can.

        Raises:
            UsageError: It is still to come.
        """
        if as_of > system_clock() and not self.api_is_on_this_machine:
            raise UsageError(
                f"--as-of {as_of:%Y-%m-%d %H:%M} UTC is still to come, so nothing up to it could be proven complete. "
                "Give an instant that has passed."
            )

    def require_begun(self, now: datetime) -> None:
        """Check that there is anything to cover by an instant.

        Raises:
            SettingsError: The first day to cover is still to come.
        """
        if self.start_date > now.date():
            raise SettingsError(
                f"PROGRESS_START_DATE {self.start_date} is after {now:%Y-%m-%d}, so there is nothing to ask for. "
                "Correct the environment or .env."
            )


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment and `.env`.

    Args:
        **overrides: Fields that take precedence over both.

    Raises:
        SettingsError: A value is malformed, or `.env` cannot be read. The message names the variable and the reason,
            never the value of a secret.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        reasons = "; ".join(
            "".join(f"{PREFIX}{part}: ".upper() for part in problem["loc"])
            + problem["msg"].removeprefix("Value error, ")
            for problem in error.errors(include_input=False)
        )
        raise SettingsError(f"Settings cannot be used: {reasons}. Correct the environment or .env.") from None
    except UnicodeDecodeError as error:
        # Without what surrounds the byte, which may be a secret.
        raise SettingsError(
            f".env cannot be read: it is not UTF-8 ({error.reason} at byte {error.start + 1}). Save it as UTF-8."
        ) from None
    except OSError as error:
        raise SettingsError(f".env cannot be read: {error}. Let this user read it, or move it away.") from error
