"""Which rows of a world a fault befalls: those that a share chooses and those that are named."""

from collections.abc import Sequence
from typing import get_args

import numpy as np

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.chance import Flags, chosen
from progress_pipeline.sandbox.config import Planted, SandboxConfig, WitnessFault
from progress_pipeline.sandbox.world import JUNK, World


def planted_rows(world: World, planted: Sequence[Planted], fault: str) -> Flags:
    """Say on which rows a fault was planted by name.

    Raises:
        UsageError: There is no such update or transaction.
    """
    rows: Flags = np.zeros(len(world), dtype=np.bool_)
    for one in planted:
        if one.fault != fault:
            continue
        named: Flags = np.zeros(len(world), dtype=np.bool_)
        if one.update_id is not None and 1 <= one.update_id <= len(world):
            named[one.update_id - 1] = True
        if one.transaction_id is not None:
            named |= world.transaction_ids == one.transaction_id
        if not named.any():
            raise UsageError(f"The sandbox cannot plant {one}: this world has no such update or transaction.")
        rows |= named
    return rows


def befallen_rows(world: World, config: SandboxConfig) -> dict[WitnessFault, Flags]:
    """Say which rows each fault of a witness befalls, by share and by name."""
    flags: dict[WitnessFault, Flags] = {}
    for fault in get_args(WitnessFault):
        is_chosen = chosen(config.seed, fault, len(world), config.shares.get(fault, 0.0))
        flags[fault] = (is_chosen | planted_rows(world, config.planted, fault)) & (world.kind != JUNK)
    return flags
