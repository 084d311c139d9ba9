"""Chance that follows from a seed and a name alone, never from the order in which it is asked.

Whether an update's push is lost is thus the same whatever else is switched on. Nothing here is fit for secrets.
"""

import hashlib
import uuid
from random import Random
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Flags: TypeAlias = NDArray[np.bool_]
Whole: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.float64]


def named_seed(seed: int, name: str) -> int:
    """Mix a seed and a name into a number of 64 bits."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest(), "big")


def generator(seed: int, name: str) -> Random:
    """Make a generator of its own for one subject."""
    return Random(named_seed(seed, name))  # noqa: S311 - makes up a world, guards nothing


def draws(seed: int, name: str, count: int) -> Reals:
    """Draw a number in [0, 1) for each of `count` things, by splitmix64 (Steele, Lea, Flood 2014)."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state += np.uint64(named_seed(seed, name))
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def chosen(seed: int, name: str, count: int, share: float) -> Flags:
    """Choose a share of `count` things; a larger share keeps all that a smaller one chose."""
    return np.zeros(count, dtype=np.bool_) if share <= 0 else draws(seed, name, count) < share


def made_uuid(seed: int, name: str) -> str:
    """Make a UUID (version 4 in form) from a seed and a name."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))
