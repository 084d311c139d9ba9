"""Bringing the tables of the SQL models up to date with raw, all of one build in one transaction.

What is to be done with a model is decided in `deciding.py` and done here; how its changed keys are refreshed is in
`refreshing.py`; the rules are told in `docs/models.md`.
"""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

import duckdb

from progress_pipeline.errors import ModelError, WarehouseError
from progress_pipeline.warehouse.build_state import ModelState, write_state
from progress_pipeline.warehouse.changed_keys import ChangedKeys, NotByKeyError
from progress_pipeline.warehouse.deciding import Ledger
from progress_pipeline.warehouse.graph import Graph
from progress_pipeline.warehouse.models import SCHEMAS, Model
from progress_pipeline.warehouse.refreshing import difference, refresh
from progress_pipeline.warehouse.standing import columns_of
from progress_pipeline.warehouse.workbench import Workbench


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
    small_rows: int = 0,
) -> list[Built]:
    """Bring the models up to date with raw.

    Args:
        connection: To the warehouse, from `connect`, outside of a transaction.
        models: All models, in the order of `read_models`. A build of all of them drops the tables of models that are
            no more.
        only: The names of those to build; without it all are.
        full_refresh: Make everything anew.
        small_rows: An incremental model that reads no more rows than this is made whole, and the difference passed on;
            `SMALL_ROWS` is where that costs about as much as to look for its changed keys.

    Returns:
        What was done to each, in order.

    Raises:
        ModelError: A model failed, or reads a table that is not there; nothing is changed then.
        WarehouseError: DuckDB could not write, for instance for want of room; nothing is changed then either.
    """
    graph = Graph(models)
    wanted = [model for name, model in graph.models.items() if only is None or name in only]
    for name in (only or frozenset()) - graph.models.keys():
        raise ModelError(f"There is no model {name} to build.")
    ledger = Ledger(connection, graph, wanted, full_refresh=full_refresh, small_rows=small_rows)
    if ledger.has_nothing_to_do():
        return [_unchanged(ledger, model) for model in wanted]
    connection.execute("begin")
    try:
        built = _Build(connection, ledger).run()
        connection.execute("commit")
    except BaseException as error:
        with suppress(duckdb.Error):  # a commit that failed has rolled back already
            connection.execute("rollback")
        if isinstance(error, duckdb.Error):
            raise WarehouseError(f"The build could not be written, so nothing of it stands: {error}") from error
        raise
    return built


class _Build:
    """One build, inside its transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._bench = Workbench(connection, ledger.graph, ledger.standing.columns, ledger.directory)

    def run(self) -> list[Built]:
        """Build the wanted models and write the state."""
        ledger = self._ledger
        for schema in SCHEMAS:
            self._connection.execute(f"create schema if not exists {schema}")
        built = []
        for model in ledger.wanted:
            started = time.perf_counter()
            try:
                done = self._build(model)
            except duckdb.Error as error:
                raise _failure(model, error) from error
            built.append(replace(done, seconds=time.perf_counter() - started))
        for name in sorted(ledger.orphans & ledger.standing.columns.keys()):
            self._connection.execute(f"drop {ledger.standing.kind(name)} {name}")
        changed = {name: state for name, state in ledger.state.items() if ledger.before.get(name) != state}
        write_state(self._connection, changed, ledger.orphans)
        self._bench.drop_tables()
        return built

    def _build(self, model: Model) -> Built:
        why = self._ledger.why_whole(model)
        changed = {} if why else self._ledger.changed_inputs(model)
        if why is None and not changed:
            return _unchanged(self._ledger, model)
        if model.materialized == "view":
            return self._make_view(model, why or "")
        answer = ""
        if model.rebuild_when:
            answer = repr(self._connection.execute(model.rebuild_when).fetchall())
            if why is None and answer != self._ledger.before[model.name].answer:
                why = "the answer of rebuild_when changed"
        if why is None and (model.materialized == "table" or self._ledger.is_small(model)):
            return self._make_table(model, answer)
        if why is None:
            try:
                return self._refresh(model, changed, answer)
            except NotByKeyError as error:
                why = str(error)
        return self._make_whole(model, why, answer)

    def _make_view(self, model: Model, why: str) -> Built:
        self._drop_other_kind(model, "view")
        self._connection.execute(f"create or replace view {model.name} as\n{model.sql}")
        self._stands_now(model)
        self._ledger.standing.views.add(model.name)
        self._ledger.state[model.name] = ModelState(self._ledger.fingerprint(model), self._ledger.number)
        return Built(model.name, 0, 0, 0.0, was_incremental=False, how=f"made: {why}")

    def _make_whole(self, model: Model, why: str, answer: str) -> Built:
        self._drop_other_kind(model, "table")
        count = self._create(model, model.sql)
        self._stands_now(model)
        self._ledger.keep(model, count, answer=answer, has_changed=True)
        return Built(model.name, count, count, 0.0, was_incremental=False, how=f"made whole: {why}")

    def _make_table(self, model: Model, answer: str) -> Built:
        """Make a table whole because rows upstream changed, and tell the difference."""
        made = self._bench.new_table(model.sql)
        names = ", ".join(f'"{name}"' for name, _ in self._ledger.standing.columns[model.name])
        changes = self._bench.new_table(difference(model.name, f"temp.{made}", names))
        count, total = self._bench.row_counts[changes], self._bench.row_counts[made]
        if count:
            self._create(model, f"from temp.{made}")
            self._ledger.differences[model.name] = changes
        self._ledger.keep(model, total, answer=answer, has_changed=count > 0)
        return Built(model.name, total, count, 0.0, was_incremental=False, how="made whole, the difference passed on")

    def _refresh(self, model: Model, changed: dict[str, str], answer: str) -> Built:
        ledger = self._ledger
        ledger.demand_known_changes(model, changed)
        keys = ChangedKeys(self._bench, model, changed=changed, seen=ledger.before[model.name].inputs).find()
        changes = refresh(self._bench, model, keys) if keys.count else None
        if changes is not None:
            ledger.differences[model.name] = changes
        count = self._bench.row_counts[changes] if changes else 0
        total = self._bench.count(model.name)
        ledger.keep(model, total, answer=answer, has_changed=count > 0)
        return Built(model.name, total, count, 0.0, was_incremental=True, how=f"{keys.count} keys looked at")

    def _create(self, model: Model, sql: str) -> int:
        """Make a table of a SELECT, its rows in order; gives how many there are."""
        self._bench.old_rows.pop((model.name, model.incremental_by), None)
        order = ", ".join(f'"{column}"' for column in model.sorted_by)
        rows = f"from (\n{sql}\n) order by {order}" if order else f"\n{sql}"
        ((count,),) = self._connection.execute(f"create or replace table {model.name} as {rows}").fetchall()
        return int(count)

    def _stands_now(self, model: Model) -> None:
        """Look at what was just made, and see that the YAML names no column that it does not have."""
        made = columns_of(self._connection, model.name)
        self._ledger.standing.columns[model.name] = made
        for column in (*model.key, *model.incremental_by, *(column.name for column in model.columns)):
            if column not in dict(made):
                raise ModelError(f"{model.path}: the YAML names {column}, which {model.name} does not have.")

    def _drop_other_kind(self, model: Model, kind: str) -> None:
        standing = self._ledger.standing.kind(model.name)
        if standing is not None and standing != kind:
            self._connection.execute(f"drop {standing} {model.name}")
            self._ledger.standing.views.discard(model.name)


def _unchanged(ledger: Ledger, model: Model) -> Built:
    count = ledger.state[model.name].row_count
    return Built(model.name, count, 0, 0.0, was_incremental=True, how="unchanged")


def _failure(model: Model, error: duckdb.Error) -> WarehouseError:
    """Tell of a model whose SQL failed, with the line in its own file where DuckDB names one."""
    text = str(error)
    if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
        return WarehouseError(f"Room ran out while {model.name} was made, so nothing of the build stands: {text}")
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    where = f"{model.path}:{max(int(line[1]) - 1, 1)}" if line else str(model.path)
    return ModelError(f"{where}: {model.name} failed: {text}")
