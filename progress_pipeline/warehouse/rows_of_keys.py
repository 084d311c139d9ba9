"""What a model reads, narrowed to some keys: each of its upstreams gives the rows of those keys alone, a lookup all.

A table's rows are found by the key's columns alone and then fetched by their place, which is a third of the work, and
kept for the build: whoever reads the same keys' rows after reads them there. Where the texts of a key stand as numbers
too (`found_by`), those are looked through, at a tenth of the cost; what another text's equal number brings is dropped.
Where a model tells what those rows bear beside the key (`found_through`), and that follows time, little is looked
through at all.
"""

from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.workbench import Directory, Keys, Workbench

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
        by_number = self._of_numbers(table)
        of_keys = by_number or self._of_keys()
        directory = self._bench.directory(table)
        if directory is not None and self._graph.models[directory.model].incremental_by != self._keys.columns:
            directory = None
        looked = (
            self._through(table, directory, of_keys)
            if directory is not None
            else f"select rows.rowid as place from {table} as rows {of_keys}"
        )
        places = self._bench.new_table(looked)
        found = f"select rowid as {PLACE}, * from {table} where rowid in (select place from temp.{places})"
        has_others = directory is not None or by_number
        return self._bench.new_table(f"select rows.* from ({found}) as rows {self._of_keys()}" if has_others else found)

    def old(self, table: str) -> str:
        """Fetch the rows of the keys from a table that is not built yet, or give them as they were fetched before."""
        known = self._bench.old_rows.get((table, self._keys.columns))
        if known is None or not self._bench.within(self._keys, known[0]):
            known = self._bench.old_rows[table, self._keys.columns] = (self._keys, self.fetch(table))
        if known[0].table == self._keys.table:
            return known[1]
        return self._bench.new_table(f"select rows.* from temp.{known[1]} as rows {self._of_keys()}")

    def _through(self, table: str, directory: Directory, of_keys: str) -> str:
        """Give a SELECT of places: of what stands beside the keys there, of what bears nothing, and of what came."""
        column = f'"{directory.column}"'
        beside = [self._rows(directory.model) if directory.is_read else f"temp.{self.old(directory.model)}"]
        came = []
        if directory.changes and directory.is_read:
            beside.append(f"temp.{directory.changes}")
        elif directory.changes:
            keys = self._bench.keys(f"from temp.{directory.changes}", self._graph.models[table].incremental_by)
            came.append(f"select rows.rowid as place from {table} as rows {keys.join('semi', 'rows')}")
        listed = " union all ".join(f"select {column} from {each}" for each in beside)
        return " union all ".join(
            [
                f"select rows.rowid as place from {table} as rows semi join ({listed}) as beside using ({column})",
                f"select rows.rowid as place from {table} as rows {of_keys} where rows.{column} is null",
                *came,
            ]
        )

    def _of_numbers(self, table: str) -> str:
        """Give the join of a table's rows with the numbers of the keys' texts; empty if it has no such numbers."""
        found_by = self._graph.models[table].found_by if table in self._graph.models else ()
        for text, number in found_by:
            if text in self._keys.columns:
                test = "is not distinct from" if text in self._keys.nullable else "="
                keys = f'(select text_number("{text}") as number from temp.{self._keys.table})'
                return f'semi join {keys} as keys on rows."{number}" {test} keys.number'
        return ""

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
