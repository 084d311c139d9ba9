"""Every error that progress_pipeline raises, and the exit code that each ends a command with.

    ProgressPipelineError                 1
    ├── SettingsError                     2  a setting is missing, malformed or unsafe
    ├── UsageError                        2  a command was used in a way that cannot work
    ├── VendorError                       1  the vendor's API did not give what was asked
    │   ├── TokenRefusedError             1  it does not accept the token; nothing is retried
    │   ├── VendorUnavailableError        1  it could not be reached, or failed, until the retries were spent
    │   ├── LimitRefusedError             4  it says that the day's calls are used up, in spite of the ledger
    │   └── UnreadableAnswerError         1  it answered with something that is no answer to the question
    ├── CallsUsedUpError                  4  the ledger holds the next call back
    ├── LandingError                      1  a landed file could not be written for good
    ├── WarehouseError                    1  DuckDB could not do what was asked
    │   ├── WarehouseBusyError            1  another process is writing
    │   └── ModelError                    1  a SQL model is wrong or failed
    ├── PublishError                      1  the published file failed its verification; the old one stands
    ├── StateError                        1  what runs keep for themselves (ledger, history) cannot be used
    └── StoppedError            130 or 143  a signal stopped the command before its end

A message says what happened, to what, and what to do next. No message ever holds a token.
"""

import signal


class ProgressPipelineError(Exception):
    """The root of the tree above.

    Attributes:
        exit_code: What a command that ends with this error gives back to the shell.
    """

    exit_code = 1


class SettingsError(ProgressPipelineError):
    """A setting is missing, malformed or unsafe."""

    exit_code = 2


class UsageError(ProgressPipelineError):
    """A command was used in a way that cannot work."""

    exit_code = 2


class VendorError(ProgressPipelineError):
    """The vendor's API did not give what was asked."""


class TokenRefusedError(VendorError):
    """The vendor does not accept the token. Asking again cannot heal it, so nothing is retried."""


class VendorUnavailableError(VendorError):
    """The vendor could not be reached, or answered with a failure, until the retries were spent."""


class LimitRefusedError(VendorError):
    """The vendor says that the day's calls are used up, in spite of the ledger."""

    exit_code = 4


class UnreadableAnswerError(VendorError):
    """The vendor answered, but not with an answer to the question."""


class CallsUsedUpError(ProgressPipelineError):
    """The ledger holds the next call back: the day's calls are used up."""

    exit_code = 4


class LandingError(ProgressPipelineError):
    """A landed file could not be written for good."""


class WarehouseError(ProgressPipelineError):
    """DuckDB could not do what was asked of it."""


class WarehouseBusyError(WarehouseError):
    """Another process is writing the warehouse."""


class ModelError(WarehouseError):
    """A SQL model is wrong, or failed."""


class PublishError(ProgressPipelineError):
    """The published file failed its verification, and the old one stands."""


class StateError(ProgressPipelineError):
    """What runs keep for themselves beside the warehouse, the calls ledger or the history, cannot be used."""


class StoppedError(ProgressPipelineError):
    """A signal stopped the command before its end; its exit code is the shell's own, 128 and the signal's number.

    Args:
        number: The signal.
    """

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(
            f"Stopped by {number.name} before its end. What was loaded by then stands, nothing half-loaded counts, and "
            "the next run goes on from there."
        )
        self.exit_code = 128 + number
