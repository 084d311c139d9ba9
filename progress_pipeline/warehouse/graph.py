"""How the models hang together: which stored tables stand behind a view, and what a table is made of by which text.

Values only; what the warehouse holds is in `standing.py` and `build_state.py`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache

from progress_pipeline.warehouse.by_key import is_by_key
from progress_pipeline.warehouse.models import RAW, Model
from progress_pipeline.warehouse.row_by_row import passes_rows_on
from progress_pipeline.warehouse.sql_folder import PRELUDE
from progress_pipeline.warehouse.standing import Columns


class Graph:
    """All models by name, in the order in which they are built."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.models: dict[str, Model] = {model.name: model for model in models}
        self._bases: dict[str, frozenset[str]] = {}
        self._passes: dict[str, bool] = {}
        self._by_key: dict[tuple[str, tuple[str, ...]], bool] = {}

    def is_view(self, name: str) -> bool:
        """Say whether a name is a model that is a view."""
        return name in self.models and self.models[name].materialized == "view"

    def bases(self, name: str) -> frozenset[str]:
        """Give the stored tables whose rows a name shows: itself, or for a view those behind it."""
        if not self.is_view(name):
            return frozenset({name})
        if name not in self._bases:
            self._bases[name] = self.inputs(self.models[name])
        return self._bases[name]

    def inputs(self, model: Model) -> frozenset[str]:
        """Give the stored tables that a model is made of, through views."""
        return frozenset(base for upstream in model.depends_on for base in self.bases(upstream))

    def raw_inputs(self, model: Model) -> frozenset[str]:
        """Give the raw tables among them."""
        return frozenset(base for base in self.inputs(model) if base.startswith(f"{RAW}."))

    def shows_changes(self, name: str) -> bool:
        """Say whether the changed rows of a name follow from those of the stored tables behind it."""
        if not self.is_view(name):
            return True
        if name not in self._passes:
            view = self.models[name]
            self._passes[name] = passes_rows_on(view) and all(
                self.shows_changes(upstream) for upstream in view.depends_on if upstream not in view.read_whole
            )
        return self._passes[name]

    def is_by_key(self, name: str, key: tuple[str, ...]) -> bool:
        """Say whether a name is a view that makes the rows of a key from the rows of that key alone."""
        if not self.is_view(name):
            return False
        if (name, key) not in self._by_key:
            self._by_key[name, key] = is_by_key(self.models[name], key)
        return self._by_key[name, key]

    def behind(self, names: Iterable[str]) -> set[str]:
        """Give names and all that stands behind those of them that are views."""
        found: set[str] = set()
        for name in names:
            found.add(name)
            if self.is_view(name):
                found |= self.behind(self.models[name].depends_on)
        return found


def fingerprint(model: Model, columns: Mapping[str, Columns], views: Mapping[str, str]) -> str:
    """Give a hash that changes when a model's table would have to be made anew, whatever the data.

    Args:
        model: The model.
        columns: The columns of what it reads, as they stand.
        views: The fingerprints of the views it reads, as they stand.
    """
    parts = (
        model.text.fingerprint,
        model.materialized,
        model.incremental_by,
        sorted(model.read_whole),
        [(upstream, text.fingerprint) for upstream, text in model.keys_from],
        model.also_keys,
        model.rebuild_when,
        sorted(model.updated_in_place),
        model.sorted_by,
        [(upstream, columns.get(upstream), views.get(upstream)) for upstream in model.depends_on],
        _prelude(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@cache
def _prelude() -> str:
    return PRELUDE.read_text(encoding="utf-8")
