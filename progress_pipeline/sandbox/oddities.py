"""Updates that are wrong in themselves, so that both witnesses tell them so, and things that are no record.

Each is chosen by a share or planted by name (`SandboxConfig.odd_facts`, `.planted`).
"""

from collections.abc import Callable
from typing import get_args

import numpy as np

from progress_pipeline.sandbox.chance import Flags, chosen, generator
from progress_pipeline.sandbox.config import OddFact, SandboxConfig
from progress_pipeline.sandbox.world import COMPLETION, JUNK, PROGRESSED, Happening, Registration

FAKE_CODE = "Fake Code"
TOO_FAR = 150.0


def add_junk(config: SandboxConfig, happenings: list[Happening]) -> None:
    """Put things that are no record among the updates, at instants of theirs."""
    chance = generator(config.seed, "junk")
    instants = [chance.choice(happenings).at for _ in range(config.junk_rows)]
    happenings.extend(Happening(at, -1, JUNK) for at in instants)


def spoil_registrations(config: SandboxConfig, registrations: list[Registration]) -> list[Registration]:
    """Give a share of registrations an id that is no UUID."""
    is_odd = chosen(config.seed, "odd registration", len(registrations), config.odd_registrations_share)
    return [
        Registration(
            one.learner,
            one.first_name,
            one.last_name,
            one.email,
            one.member_identifier,
            one.activity_id,
            one.activity_title,
            f"{44590 + number}u89-111a-6859-b899-3940dhbkww91" if is_odd[number] else one.registration_id,
            one.started_at,
        )
        for number, one in enumerate(registrations)
    ]


def spoil_happenings(config: SandboxConfig, happenings: list[Happening]) -> None:
    """Make the chosen updates wrong; they are numbered and in order."""
    count = len(happenings)
    for fact in get_args(OddFact):
        for row in np.flatnonzero(_chosen(config, fact, happenings)):
            if happenings[row].kind != JUNK:
                SPOILERS[fact](happenings, int(row))
    for row in np.flatnonzero(chosen(config.seed, "odd code", count, config.odd_codes_share)):
        if happenings[row].code is not None:
            happenings[row].code = FAKE_CODE


def _chosen(config: SandboxConfig, fact: OddFact, happenings: list[Happening]) -> Flags:
    flags = chosen(config.seed, fact, len(happenings), config.odd_facts.get(fact, 0.0))
    for planted in config.planted:
        if planted.fault == fact:
            for row, one in enumerate(happenings):
                if planted.update_id == row + 1 or planted.transaction_id == one.transaction_id is not None:
                    flags[row] = True
    return flags


def _let_progress_fall(happenings: list[Happening], row: int) -> None:
    one = happenings[row]
    before = [other.progress for other in happenings[:row] if other.registration == one.registration]
    if one.kind == PROGRESSED and before and before[-1] >= 1:
        one.progress = before[-1] - 1


def _put_progress_out_of_range(happenings: list[Happening], row: int) -> None:
    if happenings[row].kind == PROGRESSED:
        happenings[row].progress = TOO_FAR


def _take_code(happenings: list[Happening], row: int) -> None:
    happenings[row].code = None


def _take_completion_date(happenings: list[Happening], row: int) -> None:
    if happenings[row].kind == COMPLETION:
        happenings[row].completed_at = None


SPOILERS: dict[OddFact, Callable[[list[Happening], int], None]] = {
    "falling_progress": _let_progress_fall,
    "progress_out_of_range": _put_progress_out_of_range,
    "completion_uncoded": _take_code,
    "completion_undated": _take_completion_date,
}
