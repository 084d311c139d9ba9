"""From switches to a world: made up or given, put in order, numbered, then spoiled as told."""

import numpy as np
import pyarrow as pa

from progress_pipeline.sandbox.config import SandboxConfig, WorldSwitches
from progress_pipeline.sandbox.given import read_given
from progress_pipeline.sandbox.happenings import make_up
from progress_pipeline.sandbox.instants import SECOND, to_us
from progress_pipeline.sandbox.oddities import add_junk, spoil
from progress_pipeline.sandbox.renaming import rename
from progress_pipeline.sandbox.world import JUNK, World


def make_world(config: SandboxConfig) -> World:
    """Make the world that a sandbox's switches describe; the same switches make the same world."""
    world = read_given(config, config.records_file) if config.records_file else make_up(config)
    world = add_junk(config, rename(config, world))
    progress = world.table["progress"].fill_null(0).to_numpy()
    world = world.taking(np.lexsort((progress, world.kind, world.registration, world.at)))
    return spoil(config, number_transactions(config, world))


def first_instant(config: SandboxConfig, world: World) -> int:
    """Give what the clock says at first. Given records stand as they are in the end, unless they are unfolded."""
    if config.clock_at is None and config.records_file and len(world):
        return int(world.at.min()) if config.records_unfold else int(world.at.max()) + SECOND
    return to_us(config.clock_at or config.start_at)


def number_transactions(switches: WorldSwitches, world: World) -> World:
    """Number the transactions of ordered rows, each update or each registration; given numbers are kept."""
    needs_number = world.table["transactionId"].is_null().to_numpy() & (world.kind != JUNK)
    if not needs_number.any():
        return world
    ids = world.transaction_ids.copy()
    if switches.transactions == "in_place":
        # A registration's number is its place among the first updates of all.
        _, first_rows, which = np.unique(world.registration[needs_number], return_index=True, return_inverse=True)
        numbers = np.argsort(np.argsort(first_rows))[which]
    else:
        numbers = np.arange(int(needs_number.sum()))
    ids[needs_number] = switches.first_transaction_id + numbers
    return world.having("transactionId", pa.array(ids, mask=world.kind == JUNK))
