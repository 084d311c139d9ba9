"""What a model reads, narrowed to some keys: each of its upstreams shows the rows of those keys alone, a lookup all.

A table's rows are found by the key's columns alone and then fetched by their place, which is a third of the work, and
kept for the build: whoever reads the same keys' rows after reads them there.
"""

from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.workbench import Keys, Workbench

PLACE = "place_of_the_row"
"""The column that says where a fetched row stands in its table."""


class RowsOfKeys:
    """The narrowing of one model's upstreams."""

    def __init__(self, bench: Workbench, model: Model, keys: Keys) -> None:
        self._bench = bench
        self._graph = bench.graph
        self._narrow = bench.narrow
        self._model = model
        self._keys = keys

    def show(self) -> None:
        """Let every name that the model reads show what it is to read."""
        lookups = self._model.read_whole | {upstream for upstream, _ in self._model.keys_from}
        shown: dict[str, str] = {}
        for upstream in self._model.depends_on:
            if upstream in lookups or not self._has_key(upstream):
                shown[upstream] = "whole"
                self._narrow.show_whole(upstream)
        for upstream in self._model.depends_on:
            if upstream not in shown and not self._show_view(upstream, shown):
                self._show_table(upstream)
                shown[upstream] = "keys"

    def fetch(self, table: str) -> str:
        """Fetch the rows of the keys from a table; gives the temporary table of them and their places (`PLACE`)."""
        whole = self._narrow.whole(table)
        places = self._bench.new_table(f"select rows.rowid as place from {whole} as rows {self._of_keys()}")
        return self._bench.new_table(
            f"select rowid as {PLACE}, * from {whole} where rowid in (select place from temp.{places})"
        )

    def _of_keys(self) -> str:
        return self._keys.join("semi", "rows")

    def _has_key(self, name: str) -> bool:
        """Say whether a name has the columns of the key, of the types that the model has."""
        types = dict(self._bench.columns[self._model.name])
        has = dict(self._bench.columns[name])
        return all(has.get(column) == types[column] for column in self._keys.columns)

    def _show_view(self, name: str, shown: dict[str, str]) -> bool:
        """Let a view show the rows of the keys by narrowing what it reads, if that is the same; says whether it is."""
        planned = dict(shown)
        if not self._plan_view(name, planned):
            return False
        for inner, how in planned.items():
            if inner in shown:
                continue
            if how == "whole":
                self._narrow.show_whole(inner)
            elif not self._graph.is_view(inner):
                self._show_table(inner)
        for inner in self._graph.models:  # in the order in which they are made
            if planned.get(inner) == "view" and inner not in shown:
                with self._narrow.used():
                    self._narrow.show(inner, self._graph.models[inner].sql)
        shown.update(planned)
        return True

    def _plan_view(self, name: str, planned: dict[str, str]) -> bool:
        """Plan what a view and what stands behind it are to show; false where a name would have to show two things."""
        if not self._graph.is_by_key(name, self._keys.columns) or planned.setdefault(name, "view") != "view":
            return False
        view = self._graph.models[name]
        for upstream in view.depends_on:
            if upstream in view.read_whole:
                fits = planned.setdefault(upstream, "whole") == "whole"
            elif not self._has_key(upstream):
                fits = False
            elif self._graph.is_view(upstream):
                fits = self._plan_view(upstream, planned)
            else:
                fits = planned.setdefault(upstream, "keys") == "keys"
            if not fits:
                return False
        return True

    def _show_table(self, name: str) -> None:
        """Let a table, or a view that cannot be narrowed from beneath, show the rows of the keys."""
        if self._graph.is_view(name):
            self._narrow.show(name, f"select rows.* from {self._narrow.whole(name)} as rows {self._of_keys()}")
            return
        known = self._bench.rows.get((name, self._keys.columns))
        if known is None or not self._bench.within(self._keys, known[0]):
            known = self._bench.rows[name, self._keys.columns] = (self._keys, self.fetch(name))
        columns = ", ".join(f'rows."{column}"' for column, _ in self._bench.columns[name])
        self._narrow.show(name, f"select {columns} from temp.{known[1]} as rows {self._of_keys()}")
