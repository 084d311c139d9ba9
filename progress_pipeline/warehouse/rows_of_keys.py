"""What a model reads, narrowed to some keys: each of its upstreams gives the rows of those keys alone, a lookup all.

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
        self._model = model
        self._keys = keys
        self._given: dict[str, str] = {}

    def sql(self) -> str:
        """Give the model's SELECT over what it is to read."""
        lookups = self._model.read_whole | {upstream for upstream, _ in self._model.keys_from}
        drivers = [name for name in self._model.depends_on if name not in lookups and self._has_key(name)]
        return self._model.text.over({name: self._rows(name) for name in drivers})

    def fetch(self, table: str) -> str:
        """Fetch the rows of the keys from a table; gives the temporary table of them and their places (`PLACE`)."""
        places = self._bench.new_table(f"select rows.rowid as place from {table} as rows {self._of_keys()}")
        return self._bench.new_table(
            f"select rowid as {PLACE}, * from {table} where rowid in (select place from temp.{places})"
        )

    def _of_keys(self) -> str:
        return self._keys.join("semi", "rows")

    def _has_key(self, name: str) -> bool:
        """Say whether a name has the columns of the key, of the types that the model has."""
        types = dict(self._bench.columns[self._model.name])
        has = dict(self._bench.columns[name])
        return all(has.get(column) == types[column] for column in self._keys.columns)

    def _rows(self, name: str) -> str:
        """Give a SELECT, in brackets, of the rows that a table or view has of the keys."""
        if name not in self._given:
            self._given[name] = self._of_view(name) if self._graph.is_view(name) else self._of_table(name)
        return self._given[name]

    def _of_view(self, name: str) -> str:
        """Narrow a view: what it reads, where that is proven to be the same, or else what it gives."""
        view = self._graph.models[name]
        drivers = [upstream for upstream in view.depends_on if upstream not in view.read_whole]
        if self._graph.is_by_key(name, self._keys.columns) and all(map(self._has_key, drivers)):
            return f"(\n{view.text.over({upstream: self._rows(upstream) for upstream in drivers})}\n)"
        return f"(select rows.* from {name} as rows {self._of_keys()})"

    def _of_table(self, name: str) -> str:
        known = self._bench.rows.get((name, self._keys.columns))
        if known is None or not self._bench.within(self._keys, known[0]):
            known = self._bench.rows[name, self._keys.columns] = (self._keys, self.fetch(name))
        columns = ", ".join(f'rows."{column}"' for column, _ in self._bench.columns[name])
        return f"(select {columns} from temp.{known[1]} as rows {self._of_keys()})"
