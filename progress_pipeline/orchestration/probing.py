"""The probe, for the command line: a few calls that find out how this vendor answers the open questions."""

from progress_pipeline.clock import Clock
from progress_pipeline.orchestration.asking import open_vendor
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.answers import Finding
from progress_pipeline.vendor.probe import PROBE_CALLS, probe


def calls_of_a_probe() -> int:
    """Give the most calls that a probe spends."""
    return PROBE_CALLS


def run_probe(settings: Settings, clock: Clock) -> list[Finding]:
    """Spend the calls, and give all that is known of the vendor.

    Raises:
        VendorError: The vendor could not be asked.
        CallsUsedUpError: The day's calls do not suffice.
    """
    with open_vendor(settings, clock) as vendor:
        return probe(vendor.client, vendor.answers, now=clock(), page_size=settings.api_page_size)
