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
        self._narrow = bench.narrow
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
        found = [f"select {self._by} from {self._narrow.whole(model.name)} limit 0"]  # gives the types
        for upstream in model.depends_on:
            if upstream not in model.read_whole and self._graph.bases(upstream) & self._changed.keys():
                found += self._keys_in(upstream)
        if model.also_keys:
            found.append(model.also_keys)
        return self._bench.keys(" union all ".join(f"(\n{sql}\n)" for sql in found), model.incremental_by)

    def _keys_in(self, upstream: str) -> list[str]:
        """Give SELECTs of the keys that the changed rows of an upstream concern."""
        sql = dict(self._model.keys_from).get(upstream)
        if sql is not None:
            self._demand_rows(upstream)
            for name in (*self._model.depends_on, self._model.name):
                self._narrow.show_whole(name)
            return [f"from {self._over_changes(upstream, sql)}"]
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
            sql = f"select distinct {self._by} from {upstream}"
            self._bench.answers[question] = self._over_changes(upstream, sql)
        return [f"from {self._bench.answers[question]}"]

    def _over_changes(self, upstream: str, sql: str) -> str:
        """Keep the rows of a SELECT in which the name of an upstream shows its changed rows alone."""
        with self._narrow.used():
            self._show_changes(upstream, {})
            return self._bench.new_table(sql)

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

    def _show_changes(self, name: str, shown: dict[str, str]) -> None:
        """Let a name, and what stands behind it, show the rows that changed since the model was last built."""
        if shown.setdefault(name, "changes") != "changes":
            raise NotByKeyError(f"{name} is read both as a lookup and for its changes")
        if self._graph.is_view(name):
            view = self._graph.models[name]
            for upstream in view.depends_on:
                if upstream not in view.read_whole:
                    self._show_changes(upstream, shown)
                elif shown.setdefault(upstream, "whole") == "whole":
                    self._narrow.show_whole(upstream)
                else:
                    raise NotByKeyError(f"{upstream} is read both as a lookup and for its changes")
            self._narrow.show(name, view.sql)
        elif name not in self._changed:
            self._narrow.show(name, f"select * from {self._narrow.whole(name)} where false")
        elif name.startswith(f"{RAW}."):
            since = self._seen[name].version
            self._narrow.show(name, f"select * from {self._narrow.whole(name)} where {LOAD_NUMBER} > {since}")
        else:
            self._narrow.show(name, f"select * from temp.{self._changed[name]}")
