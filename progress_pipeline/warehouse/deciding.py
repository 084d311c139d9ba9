"""What is to be done with a model: nothing, its changed keys, or all of it; and what the next build will need to know.

Decided from what stands in the warehouse, what earlier builds left behind and how raw has grown. Nothing is written
here; the doing is in `building.py`, and the rules are told in `docs/models.md`.
"""

from collections.abc import Sequence

import duckdb

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.build_state import ModelState, Seen, read_state
from progress_pipeline.warehouse.changed_keys import NotByKeyError
from progress_pipeline.warehouse.graph import Graph, fingerprint
from progress_pipeline.warehouse.models import RAW, Model
from progress_pipeline.warehouse.standing import Standing, count_rows, look, raw_growth
from progress_pipeline.warehouse.workbench import Directory

SMALL_ROWS = 10_000
"""About as many rows read as cost the same, whether a model is made whole or its changed keys are looked for."""


class Ledger:
    """What is known of the warehouse at the beginning of a build, and kept up as it goes on.

    Attributes:
        graph: All models.
        wanted: Those to be built, in order.
        standing: The tables and views as they stand.
        before: The state that earlier builds left.
        state: The state as it is becoming.
        number: The number of this build.
        differences: By model that changed by known rows, the temporary table of the rows that it lost and gained.
        orphans: Models that are no more, whose tables stand.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        graph: Graph,
        wanted: Sequence[Model],
        *,
        full_refresh: bool,
        small_rows: int = 0,
    ) -> None:
        self.graph = graph
        self.wanted = wanted
        self.standing: Standing = look(connection)
        self.before: dict[str, ModelState] = read_state(connection)
        self.state: dict[str, ModelState] = dict(self.before)
        self.number = 1 + max((state.version for state in self.before.values()), default=0)
        self.differences: dict[str, str] = {}
        self.orphans: frozenset[str] = frozenset()
        if len(wanted) == len(graph.models):
            self.orphans = frozenset(self.before.keys() - graph.models.keys())
        self._full_refresh = full_refresh
        self._small_rows = small_rows
        self._wanted_names = {model.name for model in wanted}
        self._counts = count_rows(
            connection, (name for name in graph.models if self.standing.kind(name) == "table" and name in self.before)
        )
        self._growth = raw_growth(connection, self._raw_inputs_seen())
        self._raw_now = {name: growth.now for (name, _), growth in self._growth.items()}

    def is_small(self, model: Model) -> bool:
        """Say whether a model reads so few rows that to make it whole costs less than to look for its changed keys."""
        return sum(self.now(name).row_count for name in self.graph.inputs(model)) <= self._small_rows

    def has_nothing_to_do(self) -> bool:
        """Say whether every wanted model stands as it should, and nothing that it reads has changed."""
        return not self.orphans and all(
            self.why_whole(model) is None and not self.changed_inputs(model) for model in self.wanted
        )

    def why_whole(self, model: Model) -> str | None:
        """Say why a model cannot be left or refreshed as it stands, whatever the rows it reads; None if it can.

        Raises:
            ModelError: It reads a table that is not there.
        """
        for upstream in model.depends_on:
            if upstream not in self.standing.columns and upstream not in self._wanted_names:
                what = "load it" if upstream.startswith(f"{RAW}.") else "build it"
                raise ModelError(f"{model.path}:{model.lines[upstream]}: {upstream} is not there yet; {what} first.")
        state = self.state.get(model.name)
        kind = self.standing.kind(model.name)
        if self._full_refresh:
            return "asked for"
        if state is None or kind is None:
            return "was not there"
        if (kind == "view") != (model.materialized == "view") or self.fingerprint(model) != state.fingerprint:
            return "its SQL, its YAML or the columns it reads changed"
        if kind == "table" and self._counts.get(model.name) != state.row_count:
            return "its rows were changed by another hand"
        return None

    def changed_inputs(self, model: Model) -> dict[str, str]:
        """Give the stored tables behind a model that changed since it was built, with the table of their changes."""
        if model.materialized == "view":
            return {}
        seen = self.state[model.name].inputs
        return {
            name: self.differences.get(name, "")
            for name in sorted(self.graph.inputs(model))
            if name not in seen or seen[name] != self.now(name)
        }

    def demand_known_changes(self, model: Model, changed: dict[str, str]) -> None:
        """See that all rows are known by which a model's inputs changed since it was built.

        Raises:
            NotByKeyError: They are not.
        """
        for name in self.graph.behind(model.depends_on) & self.graph.models.keys():
            view = self.graph.models[name]
            if self.graph.is_view(name) and self.state[name].fingerprint != self.fingerprint(view):
                raise NotByKeyError(f"{name} has another text now, and was left out of this build")
        for name, difference in changed.items():
            readers = [upstream for upstream in model.depends_on if name in self.graph.bases(upstream)]
            if all(upstream in model.read_whole for upstream in readers):
                continue
            seen = self.before[model.name].inputs[name]
            if name.startswith(f"{RAW}."):
                old_rows = self._growth[name, seen.version].old_rows
                may_shrink = name in model.updated_in_place
                if old_rows > seen.row_count or (old_rows < seen.row_count and not may_shrink):
                    raise NotByKeyError(f"{name} lost rows, or gained some in earlier loads")
            elif not difference or name not in self.before or seen.version != self.before[name].version:
                raise NotByKeyError(f"{name} was made whole, or changed in a build that left this model out")

    def directory(self, name: str) -> Directory | None:
        """Give a model through which rows of a table are found, if it and the table stand as they were built.

        Whichever of the two reads the other has taken in all of it but what this build changed, and that is known.
        """
        for through, column in self.graph.models[name].found_through if name in self.graph.models else ():
            if not (self._stands_as_built(name) and self._stands_as_built(through)):
                continue
            is_read = through in self.graph.models[name].depends_on
            reader, read = (name, through) if is_read else (through, name)
            seen, before = self.state[reader].inputs.get(read), self.before.get(read)
            if seen == self.now(read):
                return Directory(through, column, "", is_read)
            if read in self.differences and before and seen == Seen(before.version, before.row_count):
                return Directory(through, column, self.differences[read], is_read)
        return None

    def _stands_as_built(self, name: str) -> bool:
        """Say whether a model's table is what it was built as, by its present text and by no other hand."""
        state = self.state.get(name)
        if state is None or self.standing.kind(name) != "table":
            return False
        is_touched = state is self.before.get(name) and self._counts.get(name) != state.row_count
        return not is_touched and self.fingerprint(self.graph.models[name]) == state.fingerprint

    def now(self, name: str) -> Seen:
        """Give a stored table as it is at this point of the build."""
        if name.startswith(f"{RAW}."):
            return self._raw_now[name]
        state = self.state.get(name)
        return Seen(state.version, state.row_count) if state else Seen(0, 0)

    def fingerprint(self, model: Model) -> str:
        """Give the fingerprint of a model over what stands now."""
        views = {
            name: self.state[name].fingerprint
            for name in model.depends_on
            if self.graph.is_view(name) and name in self.state
        }
        return fingerprint(model, self.standing.columns, views)

    def keep(self, model: Model, row_count: int, *, answer: str, has_changed: bool) -> None:
        """Note of what a model's table is made now."""
        before = self.before.get(model.name)
        self.state[model.name] = ModelState(
            fingerprint=self.fingerprint(model),
            version=self.number if has_changed or before is None else before.version,
            row_count=row_count,
            answer=answer,
            inputs={name: self.now(name) for name in self.graph.inputs(model)},
        )

    def _raw_inputs_seen(self) -> set[tuple[str, int]]:
        """Give each raw table with each load number up to which one of the models has it."""
        seen = set()
        for model in self.wanted:
            inputs = self.before[model.name].inputs if model.name in self.before else {}
            for name in self.graph.raw_inputs(model) & self.standing.columns.keys():
                seen.add((name, inputs[name].version if name in inputs else 0))
        return seen
