"""How the list moves between calls beyond what happens by the clock: rows appear among older ones, names change."""

import numpy as np

from progress_pipeline.sandbox.chance import chosen, generator
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.listing import Listing
from progress_pipeline.sandbox.people import LOCALES, name_pool
from progress_pipeline.sandbox.rendering import Renderer
from progress_pipeline.sandbox.world import World


class Drift:
    """Moves a list before each answer.

    Args:
        world: The rows that are listed.
        config: How much moves.
    """

    def __init__(self, world: World, config: SandboxConfig) -> None:
        self._world, self._config = world, config
        self.held_back: list[int] = []
        if config.inserts_per_call:
            is_held = chosen(config.seed, "held back", len(world), config.held_back_share)
            self.held_back = np.flatnonzero(is_held).tolist()
            generator(config.seed, "held back").shuffle(self.held_back)

    def move(self, call_number: int, now: int, listing: Listing, renderer: Renderer) -> None:
        """Insert rows and rename learners, before the answer to one call."""
        config = self._config
        if self.held_back and config.inserts_per_call:
            self._insert(now, listing)
        if config.renames_per_call and len(self._world):
            chance = generator(config.seed, f"renames {call_number}")
            learner_count = int(self._world.learner.max()) + 1
            for _ in range(config.renames_per_call):
                _, last_names = name_pool(chance.choice(LOCALES))
                rows = self._world.rename_learner(chance.randrange(learner_count), chance.choice(last_names))
                renderer.forget(rows.tolist())
            listing.names_changed()

    def _insert(self, now: int, listing: Listing) -> None:
        happened = [row for row in self.held_back if self._world.at[row] <= now][: self._config.inserts_per_call]
        self.held_back = [row for row in self.held_back if row not in set(happened)]
        shown_from = listing.shown_from.copy()
        shown_from[happened] = now
        listing.show_from(shown_from)
