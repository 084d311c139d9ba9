"""Column-level lineage: from which columns of which tables each column of a model comes.

Read out of the SQL by sqlglot alone, without a database; a column comes from those that its value is computed from, not
from those that only choose or join its rows. It takes a few milliseconds a model.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.models import Model


@dataclass(frozen=True, order=True)
class Source:
    """A column that another comes from."""

    table: str
    column: str


Lineage = Mapping[str, tuple[Source, ...]]
"""By column of a model, in order: the columns that it is computed from; none for what is made up by the SQL itself."""


def trace_columns(
    models: Iterable[Model], raw_columns: Mapping[str, Iterable[str]] | None = None
) -> dict[str, Lineage]:
    """Trace the columns of all models to those of the tables that their SQL names.

    Args:
        models: All models, in the order of `read_models`.
        raw_columns: The columns of the raw tables, by name such as `raw.api_progress`; where they are not given, a star
            over a raw table brings no columns.

    Returns:
        By model.

    Raises:
        ModelError: sqlglot cannot tell which table a column is of.
    """
    schema = MappingSchema(dialect="duckdb")
    for name, columns in (raw_columns or {}).items():
        schema.add_table(name, dict.fromkeys(columns, "text"), dialect="duckdb")
    found: dict[str, Lineage] = {}
    for model in models:
        try:
            query = qualify(
                model.text.expression.copy(), dialect="duckdb", schema=schema, validate_qualify_columns=False
            )
            scope = build_scope(query)
        except SqlglotError as error:
            raise ModelError(f"{model.path}: the lineage of {model.name} cannot be read: {error}") from error
        names = query.named_selects if isinstance(query, exp.Query) else []
        schema.add_table(model.name, dict.fromkeys(names, "text"), dialect="duckdb")
        tracer = _Tracer()
        found[model.name] = {name: tuple(sorted(tracer.trace(scope, name))) for name in names if scope is not None}
    return found


class _Tracer:
    """Traces the columns of one model; what was traced once is kept, since many columns pass through the same steps."""

    def __init__(self) -> None:
        self._traced: dict[tuple[int, str], tuple[Source, ...]] = {}
        self._named: dict[int, list[str]] = {}

    def trace(self, scope: Scope, name: str) -> tuple[Source, ...]:
        """Give the columns of tables that one column of a query is computed from."""
        place = (id(scope), name)
        if place not in self._traced:
            self._traced[place] = tuple(dict.fromkeys(self._trace(scope, name)))
        return self._traced[place]

    def _trace(self, scope: Scope, name: str) -> Iterator[Source]:
        query = scope.expression
        if scope.set_operation_scopes:
            place = self._names(scope).index(name)
            for branch in scope.set_operation_scopes:
                yield from self.trace(branch, self._names(branch)[place])
            return
        if not isinstance(query, exp.Select):
            return
        for chosen in query.selects:
            if chosen.alias_or_name == name or chosen.is_star:
                yield from self._trace_expression(scope, chosen, name)

    def _trace_expression(self, scope: Scope, expression: exp.Expr, name: str) -> Iterator[Source]:
        inner = {id(subquery.expression): subquery for subquery in scope.subquery_scopes}
        pending = [expression]
        while pending:
            node = pending.pop()
            if id(node) in inner:
                for column in self._names(inner[id(node)]):
                    yield from self.trace(inner[id(node)], column)
            elif isinstance(node, exp.Column):
                column = name if isinstance(node.this, exp.Star) else node.name
                yield from self._trace_source(scope.sources.get(node.table), column)
            elif isinstance(node, exp.Star):
                if node is expression:  # and not the star of count(*)
                    for source in scope.selected_sources.values():
                        yield from self._trace_source(source[1], name)
            else:
                pending.extend(node.iter_expressions())

    def _trace_source(self, source: exp.Expr | Scope | None, column: str) -> Iterator[Source]:
        if isinstance(source, Scope):
            if column in self._names(source) or source.expression.is_star:
                yield from self.trace(source, column)
        elif isinstance(source, exp.Table) and source.db:
            yield Source(f"{source.db}.{source.name}".lower(), column)

    def _names(self, scope: Scope) -> list[str]:
        """Give the names of a query's columns."""
        if id(scope) not in self._named:
            query = scope.expression
            self._named[id(scope)] = list(query.named_selects) if isinstance(query, exp.Query) else []
        return self._named[id(scope)]
