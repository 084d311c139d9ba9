"""Whatever was loaded and built in whatever order, the tables are those that a rebuild would make.

Random projects, loads, builds of parts, builds that fail, rows that vanish or come late, SQL that changes: at the end
the tables are compared with those of `full_refresh`.
"""

import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import run_prelude
from tests.warehouse.projects import Project, rows
from tests.warehouse.random_projects import (
    PAIRS,
    BuildAll,
    BuildAndFail,
    BuildSome,
    ChangeSql,
    Load,
    Plan,
    Step,
    Tamper,
    plans,
    steps,
)

MODELS_FAIL_LATE = "select cast(error('planned') as bigint) as k, max(load_number) as g from raw.runs"


class Play:
    """One random project as its steps are played."""

    def __init__(self, folder: Path, plan: Plan, small_rows: int) -> None:
        self.small_rows = small_rows
        self.project = Project(folder)
        self.names = plan.write(self.project)
        self.models = self.project.models()
        self.connection = duckdb.connect()
        run_prelude(self.connection)
        self.connection.execute("create schema raw")
        for number in (0, 1):
            self.connection.execute(f"create table raw.said_{number} (k text, g bigint, v bigint, load_number bigint)")
        self.connection.execute("create table raw.runs (as_of bigint, setting bigint, load_number bigint)")
        self.loads = 0
        self.changes = 0
        self.is_deleting: bool | None = None

    def play(self, step: Step) -> None:
        """Do what a step says."""
        match step:
            case Load(first, second, setting):
                self.loads += 1
                for number, new in enumerate((first, second)):
                    for row in new:
                        self.connection.execute(
                            f"insert into raw.said_{number} values (?, ?, ?, ?)", [*row, self.loads]
                        )
                self.connection.execute("insert into raw.runs values (?, ?, ?)", [self.loads, setting, self.loads])
            case BuildAll():
                build(self.connection, self.models, small_rows=self.small_rows)
            case BuildSome(chosen):
                self._build_some(chosen)
            case BuildAndFail():
                self._build_and_fail()
            case Tamper(is_deletion):
                self._tamper(is_deletion=is_deletion)
            case ChangeSql(chosen):
                self._change_sql(chosen)

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """Give all rows of all models."""
        return {model.name: rows(self.connection, model.name) for model in self.models}

    def _tamper(self, *, is_deletion: bool) -> None:
        """Take a row from raw or slip one in; not both in turn, which no count of rows can tell."""
        self.is_deleting = is_deletion if self.is_deleting is None else self.is_deleting
        if self.loads and self.is_deleting:
            self.connection.execute("delete from raw.said_0 where rowid = (select min(rowid) from raw.said_0)")
        elif self.loads:
            self.connection.execute("insert into raw.said_0 values ('1', 1, 1, 1)")

    def _build_some(self, chosen: frozenset[int]) -> None:
        """Build some; what they read must be there, which the runner says if it is not."""
        only = frozenset(self.names[number % len(self.names)] for number in chosen)
        needed = {name for model in self.models if model.name in only for name in model.depends_on}
        if needed <= only | self._all_there_is().keys():
            build(self.connection, self.models, only=only, small_rows=self.small_rows)
        else:
            with pytest.raises(ModelError, match="is not there yet"):
                build(self.connection, self.models, only=only, small_rows=self.small_rows)

    def _build_and_fail(self) -> None:
        before = self._all_there_is()
        self.project.write("marts.fails", MODELS_FAIL_LATE, materialized="table")
        with pytest.raises(ModelError, match="planned"):
            build(self.connection, self.project.models(), full_refresh=self.loads % 2 == 0)
        self.project.remove("marts.fails")
        assert self._all_there_is() == before

    def _all_there_is(self) -> dict[str, list[tuple[object, ...]]]:
        names = self.connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables where table_catalog = 'memory'"
        ).fetchall()
        return {name: rows(self.connection, name) for (name,) in names}

    def _change_sql(self, chosen: int) -> None:
        self.changes += 1
        model = self.models[chosen % len(self.models)]
        column = "g" if model.name == PAIRS else "v"  # another v would be a broken promise
        text = f"select * replace ({column} + {self.changes} as {column}) from (\n{model.sql}\n)"
        model.path.write_text(text, encoding="utf-8")
        self.models = self.project.models()


@settings(max_examples=15, deadline=None)
@given(plan=plans, told=steps, small_rows=st.sampled_from((0, 5, 20)))
def test_builds_in_any_order_end_in_the_tables_of_a_rebuild(plan: Plan, told: list[Step], small_rows: int) -> None:
    """Incremental equals rebuild, whatever happened on the way, and whatever counts as small."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), plan, small_rows)
        try:
            for step in told:
                play.play(step)
            build(play.connection, play.models, small_rows=small_rows)
            by_increments = play.tables()
            build(play.connection, play.models, full_refresh=True)
            assert by_increments == play.tables()
            assert all(built.how == "unchanged" for built in build(play.connection, play.models))
        finally:
            play.connection.close()
