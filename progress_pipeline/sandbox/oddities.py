"""Updates that are wrong in themselves, so that both witnesses tell them so, and things that are no record.

Each is chosen by a share or planted by name (`SandboxConfig.odd_facts`, `.planted`). Rows are in order and numbered.
"""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from progress_pipeline.sandbox.chance import Flags, chosen, generator
from progress_pipeline.sandbox.config import OddFact, SandboxConfig
from progress_pipeline.sandbox.planting import planted_rows
from progress_pipeline.sandbox.world import COLUMNS, JUNK, PROGRESSED, SCHEMA, World

FAKE_CODE = "Fake Code"
TOO_FAR = 150.0


def add_junk(config: SandboxConfig, world: World) -> World:
    """Put things that are no record among the updates, at instants of theirs."""
    if not config.junk_rows or not len(world):
        return world
    chance = generator(config.seed, "junk")
    columns = {name: np.full(config.junk_rows, JUNK, dtype=np.int64) for name in COLUMNS}
    columns["at"] = world.at[[chance.randrange(len(world)) for _ in range(config.junk_rows)]]
    nothing = pa.table([pa.nulls(config.junk_rows, field.type) for field in SCHEMA], schema=SCHEMA)
    return world.with_more(World(nothing, **columns))


def spoil(config: SandboxConfig, world: World) -> World:
    """Make the chosen updates and registrations wrong."""
    for fact in get_args(OddFact):
        is_odd = chosen(config.seed, fact, len(world), config.odd_facts.get(fact, 0.0))
        is_odd = (is_odd | planted_rows(world, config.planted, fact)) & (world.kind != JUNK)
        if is_odd.any():
            world = SPOILERS[fact](world, is_odd)
    world = _fake_codes(world, chosen(config.seed, "odd code", len(world), config.odd_codes_share))
    if config.odd_registrations_share > 0:
        world = _odd_registrations(config, world)
    return world


def _fake_codes(world: World, is_odd: Flags) -> World:
    if not is_odd.any():
        return world
    codes = world.table["completionCode"]
    return world.having("completionCode", pc.if_else(pc.and_(pa.array(is_odd), codes.is_valid()), FAKE_CODE, codes))


def _odd_registrations(config: SandboxConfig, world: World) -> World:
    """Give a share of registrations an id that is no UUID."""
    numbers = world.registration
    is_odd = chosen(config.seed, "odd registration", int(numbers.max(initial=0)) + 1, config.odd_registrations_share)
    ids = [
        f"{44590 + number}u89-111a-6859-b899-3940dhbkww91" if number >= 0 and is_odd[number] else registration
        for number, registration in zip(numbers.tolist(), world.values("registration"), strict=True)
    ]
    return world.having("registration", ids)


def _let_progress_fall(world: World, is_odd: Flags) -> World:
    before, _ = world.neighbours()
    progress = world.table["progress"].fill_null(0).to_numpy().copy()
    for row in np.flatnonzero(is_odd & (world.kind == PROGRESSED) & (before >= 0)):
        if progress[before[row]] >= 1:
            progress[row] = progress[before[row]] - 1
    return world.having("progress", pa.array(progress))


def _put_progress_out_of_range(world: World, is_odd: Flags) -> World:
    is_odd &= world.kind == PROGRESSED
    return world.having("progress", pc.if_else(pa.array(is_odd), TOO_FAR, world.table["progress"]))


def _take_code(world: World, is_odd: Flags) -> World:
    return world.having("completionCode", pc.if_else(pa.array(is_odd), None, world.table["completionCode"]))


def _take_completion_date(world: World, is_odd: Flags) -> World:
    return world.having("dateCompleted", pc.if_else(pa.array(is_odd), None, world.table["dateCompleted"]))


SPOILERS: dict[OddFact, Callable[[World, Flags], World]] = {
    "falling_progress": _let_progress_fall,
    "progress_out_of_range": _put_progress_out_of_range,
    "completion_uncoded": _take_code,
    "completion_undated": _take_completion_date,
}
