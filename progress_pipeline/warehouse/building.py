"""Bringing the tables of the SQL models up to date with raw, all of one build in one transaction.

Here is decided, model by model, whether nothing is to be done, the changed keys are enough, or all is made anew; and
the state is kept that the next decision needs. How keys are refreshed is in `refreshing.py`; the rules are told in
`docs/models.md`.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import duckdb

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.build_state import ModelState, Seen, read_state, write_state
from progress_pipeline.warehouse.graph import Graph, fingerprint
from progress_pipeline.warehouse.models import RAW, SCHEMAS, Model
from progress_pipeline.warehouse.narrowed import TEMPORARY, Narrowed, narrowed
from progress_pipeline.warehouse.refreshing import NotByKeyError, Refresh, Surroundings
from progress_pipeline.warehouse.standing import RawGrowth, Standing, columns_of, count_rows, look, raw_growth


@dataclass(frozen=True)
class Built:
    """What a build did to one model.

    Attributes:
        model: The table.
        row_count: Rows it has now; 0 for a view, whose rows are not counted.
        changed_rows: Rows that it lost or gained; all of them if it was made anew.
        seconds: How long it took.
        was_incremental: Whether at most the rows of some keys were made.
        how: In a few words, what was done and why.
    """

    model: str
    row_count: int
    changed_rows: int
    seconds: float
    was_incremental: bool
    how: str


def build(
    connection: duckdb.DuckDBPyConnection,
    models: Iterable[Model],
    *,
    only: frozenset[str] | None = None,
    full_refresh: bool = False,
) -> list[Built]:
    """Bring the models up to date with raw.

    Args:
        connection: To the warehouse, from `connect`, outside of a transaction.
        models: All models, in the order of `read_models`. Tables of models that are no more are dropped, unless `only`
            is given.
        only: The names of those to build; without it all are.
        full_refresh: Make everything anew.

    Returns:
        What was done to each, in order.

    Raises:
        ModelError: A model failed, or reads a table that is not there; nothing is changed then.
    """
    graph = Graph(models)
    wanted = [model for name, model in graph.models.items() if only is None or name in only]
    for name in (only or frozenset()) - graph.models.keys():
        raise ModelError(f"There is no model {name} to build.")
    glance = _Build(connection, graph, wanted, full_refresh=full_refresh)
    if only is None:
        glance.find_orphans()
    if glance.has_nothing_to_do():
        return glance.idle()
    by_key = [model for model in wanted if model.materialized == "incremental"]
    names = graph.behind(name for model in by_key for name in (*model.depends_on, model.name))
    with narrowed(connection, names & glance.standing.columns.keys()) as narrow:
        connection.execute("begin")
        try:
            work = _Build(connection, graph, wanted, full_refresh=full_refresh)
            work.orphans = glance.orphans
            built = work.run(narrow)
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
        work.drop_temporary()
    return built


class _Build:
    """One build, from what stands at its beginning."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, graph: Graph, wanted: list[Model], *, full_refresh: bool
    ) -> None:
        self.connection = connection
        self.graph = graph
        self.wanted = wanted
        self.full_refresh = full_refresh
        self.standing: Standing = look(connection)
        self.before: dict[str, ModelState] = read_state(connection)
        self.state: dict[str, ModelState] = dict(self.before)
        self.number = 1 + max((state.version for state in self.before.values()), default=0)
        self.orphans: frozenset[str] = frozenset()
        self.differences: dict[str, str] = {}  # by model, the temporary table of the rows it lost and gained
        self.counts = count_rows(
            connection, (name for name in graph.models if self.standing.kind(name) == "table" and name in self.before)
        )
        self.growth: dict[tuple[str, int], RawGrowth] = raw_growth(connection, self._raw_inputs_seen())

    def _raw_inputs_seen(self) -> set[tuple[str, int]]:
        """Give each raw table with each load number up to which one of the models has it."""
        seen = set()
        for model in self.wanted:
            inputs = self.before[model.name].inputs if model.name in self.before else {}
            for name in self.graph.raw_inputs(model) & self.standing.columns.keys():
                seen |= {(name, 0), (name, inputs[name].version if name in inputs else 0)}
        return seen

    def find_orphans(self) -> None:
        """Find the tables of models that are no more."""
        self.orphans = frozenset(self.before.keys() - self.graph.models.keys())

    def has_nothing_to_do(self) -> bool:
        """Say whether every model stands as it should, and nothing that it reads has changed."""
        return not self.orphans and all(
            self._why_whole(model) is None and not self._changed_inputs(model) for model in self.wanted
        )

    def idle(self) -> list[Built]:
        """Tell of a build that had nothing to do."""
        return [self._unchanged(model) for model in self.wanted]

    def run(self, narrow: Narrowed) -> list[Built]:
        """Build the wanted models and write the state."""
        for schema in SCHEMAS:
            self.connection.execute(f"create schema if not exists {schema}")
        built = []
        for model in self.wanted:
            started = time.perf_counter()
            done = self._build(model, narrow)
            built.append(replace(done, seconds=time.perf_counter() - started))
        for name in sorted(self.orphans & self.standing.columns.keys()):
            self.connection.execute(f"drop {self.standing.kind(name)} {name}")
        changed = {name: state for name, state in self.state.items() if self.before.get(name) != state}
        write_state(self.connection, changed, self.orphans)
        return built

    def drop_temporary(self) -> None:
        """Drop what only this build needed."""
        tables = self.connection.execute(
            "select table_name from duckdb_tables() where database_name = 'temp' and starts_with(table_name, ?)",
            [TEMPORARY],
        ).fetchall()
        for (name,) in tables:
            self.connection.execute(f'drop table temp."{name}"')

    def _build(self, model: Model, narrow: Narrowed) -> Built:
        why = self._why_whole(model)
        if model.materialized == "view":
            return self._unchanged(model) if why is None else self._make_view(model, why)
        changed = {} if why else self._changed_inputs(model)
        if why is None and not changed:
            return self._unchanged(model)
        try:
            if model.materialized == "table":
                return self._make_table(model, why)
            answer = self._answer(model)
            if why is None and answer != self.before[model.name].answer:
                why = "the answer of rebuild_when changed"
            if why is None:
                try:
                    return self._refresh(model, narrow, changed)
                except NotByKeyError as error:
                    why = str(error)
            return self._make_whole(model, why, answer)
        except duckdb.Error as error:
            raise _failure(model, error) from error

    def _why_whole(self, model: Model) -> str | None:
        """Say why a model cannot be left or refreshed as it stands, whatever the rows it reads; None if it can.

        Raises:
            ModelError: It reads a table that is not there.
        """
        for upstream in model.depends_on:
            is_coming = upstream in self.graph.models and self.graph.models[upstream] in self.wanted
            if upstream not in self.standing.columns and not is_coming:
                what = "load it" if upstream.startswith(f"{RAW}.") else "build it"
                raise ModelError(f"{model.path}:{model.lines[upstream]}: {upstream} is not there yet; {what} first.")
        state = self.state.get(model.name)
        kind = self.standing.kind(model.name)
        if self.full_refresh:
            return "asked for"
        if state is None or kind is None:
            return "was not there"
        if kind != ("view" if model.materialized == "view" else "table") or self._fingerprint(model) != (
            state.fingerprint
        ):
            return "its SQL, its YAML or the columns it reads changed"
        if kind == "table" and self.counts.get(model.name) != state.row_count:
            return "its rows were changed by another hand"
        return None

    def _changed_inputs(self, model: Model) -> dict[str, str]:
        """Give the stored tables behind a model that changed since it was built, with the table of their changes."""
        if model.materialized == "view":
            return {}
        seen = self.state[model.name].inputs
        return {
            name: self.differences.get(name, "")
            for name in sorted(self.graph.inputs(model))
            if name not in seen or seen[name] != self._now(name)
        }

    def _now(self, name: str) -> Seen:
        """Give a stored table as it is at this point of the build."""
        if name.startswith(f"{RAW}."):
            return self.growth[name, 0].now
        state = self.state.get(name)
        return Seen(state.version, state.row_count) if state else Seen(0, 0)

    def _fingerprint(self, model: Model) -> str:
        views = {name: self.state[name].fingerprint for name in model.depends_on if self._stands_as_view(name)}
        return fingerprint(model, self.standing.columns, views)

    def _stands_as_view(self, name: str) -> bool:
        return self.graph.is_view(name) and name in self.state

    def _answer(self, model: Model) -> str:
        if not model.rebuild_when:
            return ""
        return repr(self.connection.execute(model.rebuild_when).fetchall())

    def _unchanged(self, model: Model) -> Built:
        count = self.state[model.name].row_count
        return Built(model.name, count, 0, 0.0, was_incremental=True, how="unchanged")

    def _make_view(self, model: Model, why: str) -> Built:
        try:
            self._drop_other_kind(model, "view")
            self.connection.execute(f"create or replace view {model.name} as\n{model.sql}")
        except duckdb.Error as error:
            raise _failure(model, error) from error
        self._stands_now(model)
        self.standing.views.add(model.name)
        self.state[model.name] = ModelState(self._fingerprint(model), self.number)
        return Built(model.name, 0, 0, 0.0, was_incremental=False, how=f"made: {why}")

    def _make_whole(self, model: Model, why: str, answer: str) -> Built:
        self._drop_other_kind(model, "table")
        self.connection.execute(f"create or replace table {model.name} as\n{model.sql}")
        self._stands_now(model)
        count = self._keep_state(model, answer=answer, has_changed=True)
        return Built(model.name, count, count, 0.0, was_incremental=False, how=f"made whole: {why}")

    def _make_table(self, model: Model, why: str | None) -> Built:
        """Make a table whole; if it could have stayed as it is but for new rows upstream, tell the difference."""
        if why is not None:
            return self._make_whole(model, why, "")
        changes, made = _changes_of(model), f"{TEMPORARY}rows_made"
        self.connection.execute(f"create or replace temp table {made} as\n{model.sql}")
        self.connection.execute(
            f"create or replace temp table {changes} as "
            f"(from {model.name} except all from temp.{made}) union all (from temp.{made} except all from {model.name})"
        )
        count = count_rows(self.connection, [f"temp.{changes}"])[f"temp.{changes}"]
        if count:
            self.connection.execute(f"create or replace table {model.name} as from temp.{made}")
            self.differences[model.name] = changes
        total = self._keep_state(model, answer="", has_changed=count > 0)
        return Built(model.name, total, count, 0.0, was_incremental=False, how="made whole, the difference passed on")

    def _refresh(self, model: Model, narrow: Narrowed, changed: dict[str, str]) -> Built:
        seen = self.before[model.name].inputs
        for name, difference in changed.items():
            self._demand_known_changes(model, name, difference)
        if missing := self.graph.behind((*model.depends_on, model.name)) - narrow.names:
            raise NotByKeyError(f"{min(missing)} was not there when the build began")
        around = Surroundings(self.graph, narrow, self.standing.columns, changed, seen)
        changes = _changes_of(model)
        keys, count = Refresh(self.connection, model, around).run(changes)
        if count:
            self.differences[model.name] = changes
        total = self._keep_state(model, answer=self.before[model.name].answer, has_changed=count > 0)
        return Built(model.name, total, count, 0.0, was_incremental=True, how=f"{keys} keys looked at")

    def _demand_known_changes(self, model: Model, name: str, difference: str) -> None:
        """See that the rows by which a table changed since the model was built are all known.

        Raises:
            NotByKeyError: They are not.
        """
        if all(upstream in model.read_whole for upstream in model.depends_on if name in self.graph.bases(upstream)):
            return
        seen = self.before[model.name].inputs[name]
        if name.startswith(f"{RAW}."):
            old_rows = self.growth[name, seen.version].old_rows
            may_shrink = name in model.updated_in_place
            if old_rows > seen.row_count or (old_rows < seen.row_count and not may_shrink):
                raise NotByKeyError(f"{name} lost rows, or gained some in earlier loads")
        elif not difference or name not in self.before or seen.version != self.before[name].version:
            raise NotByKeyError(f"{name} was made whole, or changed in a build that left this model out")

    def _keep_state(self, model: Model, *, answer: str, has_changed: bool) -> int:
        """Note of what the model is made now; gives its row count."""
        count = count_rows(self.connection, [model.name])[model.name]
        before = self.before.get(model.name)
        self.state[model.name] = ModelState(
            fingerprint=self._fingerprint(model),
            version=self.number if has_changed or before is None else before.version,
            row_count=count,
            answer=answer,
            inputs={name: self._now(name) for name in self.graph.inputs(model)},
        )
        return count

    def _stands_now(self, model: Model) -> None:
        """Look at what was just made, and see that the YAML names no column that it does not have."""
        self.standing.columns[model.name] = columns_of(self.connection, model.name)
        made = dict(self.standing.columns[model.name])
        for column in (*model.key, *model.incremental_by, *(column.name for column in model.columns)):
            if column not in made:
                raise ModelError(f"{model.path}: the YAML names {column}, which {model.name} does not have.")

    def _drop_other_kind(self, model: Model, kind: str) -> None:
        standing = self.standing.kind(model.name)
        if standing is not None and standing != kind:
            self.connection.execute(f"drop {standing} {model.name}")
            self.standing.views.discard(model.name)


def _changes_of(model: Model) -> str:
    return f"{TEMPORARY}changes_of_{model.name.replace('.', '__')}"


def _failure(model: Model, error: duckdb.Error) -> ModelError:
    """Tell of a model whose SQL failed, with the line in its own file where DuckDB names one."""
    text = str(error)
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    where = f"{model.path}:{max(int(line[1]) - 1, 1)}" if line else str(model.path)
    return ModelError(f"{where}: {model.name} failed: {text}")
