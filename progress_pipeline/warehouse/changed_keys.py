"""Which keys of a model may have other rows than before: those of the rows that came or went in what it reads.

Why these are all is told in `docs/models.md`. What is done with them is in `refreshing.py`.
"""

from collections.abc import Mapping

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.build_state import Seen
from progress_pipeline.warehouse.models import RAW, Model
from progress_pipeline.warehouse.standing import LOAD_NUMBER
from progress_pipeline.warehouse.workbench import Keys, Workbench, quoted


class NotByKeyError(Exception):
    """A model cannot be refreshed by key after all; the message says why, and it is built whole."""


class ChangedKeys:
    """The search for one model's changed keys."""

    def __init__(self, bench: Workbench, model: Model, *, changed: Mapping[str, str], seen: Mapping[str, Seen]) -> None:
        self._bench = bench
        self._graph = bench.graph
        self._model = model
        self._changed = changed
        self._seen = seen
        self._by = quoted(model.incremental_by)

    def find(self) -> Keys:
        """Find the keys.

        Raises:
            NotByKeyError: They cannot be known.
            ModelError: The key has two types.
        """
        model = self._model
        found = [f"select {self._by} from {model.name} limit 0"]  # gives the types
        for upstream in model.depends_on:
            if upstream not in model.read_whole and self._graph.bases(upstream) & self._changed.keys():
                found += self._keys_in(upstream)
        if model.also_keys:
            found.append(model.also_keys)
        return self._bench.keys(" union all ".join(f"(\n{sql}\n)" for sql in found), model.incremental_by)

    def _keys_in(self, upstream: str) -> list[str]:
        """Give SELECTs of the keys that the changed rows of an upstream concern."""
        text = dict(self._model.keys_from).get(upstream)
        if text is not None:
            self._demand_rows(upstream)
            return [text.over({upstream: self._changes(upstream)})]
        self._demand_key_columns(upstream)
        if not self._graph.shows_changes(upstream) and self._graph.is_by_key(upstream, self._model.incremental_by):
            view = self._graph.models[upstream]
            inner = [name for name in view.depends_on if name not in view.read_whole]
            return [
                sql for name in inner if self._graph.bases(name) & self._changed.keys() for sql in self._keys_in(name)
            ]
        self._demand_rows(upstream)
        bases = sorted(self._graph.bases(upstream) & self._changed.keys())
        changes = tuple((base, self._changed[base], self._seen[base].version) for base in bases)
        question = (upstream, self._model.incremental_by, changes)
        if question not in self._bench.answers:
            sql = f"select distinct {self._by} from {self._changes(upstream)}"
            self._bench.answers[question] = self._bench.new_table(sql)
        return [f"from {self._bench.answers[question]}"]

    def _demand_rows(self, upstream: str) -> None:
        if not self._graph.shows_changes(upstream):
            raise NotByKeyError(f"{upstream} is a view that does not pass changed rows on")

    def _demand_key_columns(self, upstream: str) -> None:
        """See that an upstream has the model's key, of the same type."""
        has = dict(self._bench.columns[upstream])
        types = dict(self._bench.columns[self._model.name])
        for column in self._model.incremental_by:
            if column not in has:
                raise NotByKeyError(f"{upstream} changed and has no column {column}")
            if has[column] != types[column]:
                raise ModelError(
                    f"{self._model.path}: {column} is {types[column]} in {self._model.name} and {has[column]} in "
                    f"{upstream}; a key must have one type. Cast it in {upstream}, or list that under `read_whole`."
                )

    def _changes(self, name: str) -> str:
        """Give a table, or a SELECT in brackets, of a name's rows that changed since the model was last built."""
        if self._graph.is_view(name):
            view = self._graph.models[name]
            drivers = [upstream for upstream in view.depends_on if upstream not in view.read_whole]
            return f"(\n{view.text.over({upstream: self._changes(upstream) for upstream in drivers})}\n)"
        if name not in self._changed:
            return f"(select * from {name} where false)"
        if name.startswith(f"{RAW}."):
            return f"(select * from {name} where {LOAD_NUMBER} > {self._seen[name].version})"
        return f"temp.{self._changed[name]}"
