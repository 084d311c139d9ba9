"""What was found out about this vendor, with its evidence, kept beside the calls ledger."""

from typing import Self

from progress_pipeline.vendor.ledger import CallLedger


class Answers:
    """What is known of this vendor.

    Args:
        ledger: Keeps it.
    """

    def __init__(self, ledger: CallLedger) -> None:
        self._ledger = ledger

    @classmethod
    def load(cls, ledger: CallLedger) -> Self:
        """Read what is known."""
        return cls(ledger)
