"""Learners and activities that are called otherwise as time goes by, as people and titles are.

From some instant on, a renamed learner's updates carry another last name, and a retitled activity's another title. A
respelled registration is told under another spelling of the same e-mail address and name throughout.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from progress_pipeline.sandbox.chance import Flags, Whole, chosen, draws
from progress_pipeline.sandbox.config import WorldSwitches
from progress_pipeline.sandbox.world import World

MARRIED = "-Keller"
EDITION = " (new edition)"


def rename(switches: WorldSwitches, world: World) -> World:
    """Rename, retitle and respell the shares that the switches name."""
    if not len(world):
        return world
    is_renamed = _is_changed(switches, "renamed", world.learner, world.at, switches.renamed_share)
    world = _with_suffix(world, "lastName", is_renamed, MARRIED)
    is_retitled = _is_changed(switches, "retitled", world.activity, world.at, switches.retitled_share)
    world = _with_suffix(world, "activityTitle", is_retitled, EDITION)
    count = int(world.registration.max()) + 1
    is_respelled = pa.array(chosen(switches.seed, "respelled", count, switches.respelled_share)[world.registration])
    for field, respell in (("email", pc.utf8_upper), ("firstName", pc.utf8_upper)):
        values = world.table[field]
        world = world.having(field, pc.if_else(is_respelled, respell(values), values))
    return world


def _is_changed(switches: WorldSwitches, name: str, numbers: Whole, at: Whole, share: float) -> Flags:
    """Say of each row whether what it is about was changed by then; each changes at an instant of its own."""
    count = int(numbers.max()) + 1
    first, last = int(at.min()), int(at.max())
    changed_at = first + (draws(switches.seed, f"{name} at", count) * (last - first)).astype(np.int64)
    is_changed: Flags = chosen(switches.seed, name, count, share)[numbers] & (at >= changed_at[numbers])
    return is_changed


def _with_suffix(world: World, field: str, is_changed: Flags, suffix: str) -> World:
    values = world.table[field]
    changed = pc.binary_join_element_wise(values, suffix, "")
    return world.having(field, pc.if_else(pa.array(is_changed), changed, values))
