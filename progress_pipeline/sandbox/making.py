"""From switches to a world: made up or given, then spoiled as told."""

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.given import read_given
from progress_pipeline.sandbox.happenings import make_happenings
from progress_pipeline.sandbox.instants import SECOND, to_us
from progress_pipeline.sandbox.oddities import add_junk, spoil_happenings, spoil_registrations
from progress_pipeline.sandbox.world import World, assemble, number_transactions


def make_world(config: SandboxConfig) -> World:
    """Make the world that a sandbox's switches describe; the same switches make the same world."""
    clock_at = to_us(config.clock_at or config.start_at)
    if config.records_file:
        happenings, registrations = read_given(config, config.records_file)
        if config.clock_at is None and happenings:
            # Given records stand as they are in the end; unfolded, they begin before the first of them.
            instants = [one.at for one in happenings]
            clock_at = min(instants) if config.records_unfold else max(instants) + SECOND
    else:
        happenings, registrations = make_happenings(config)
    if happenings:
        add_junk(config, happenings)
    number_transactions(happenings, config)
    spoil_happenings(config, happenings)
    return assemble(happenings, spoil_registrations(config, registrations), clock_at)
