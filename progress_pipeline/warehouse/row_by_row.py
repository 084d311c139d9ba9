"""Whether a view passes rows on: each of its rows comes from one row of one table.

Of such a view, the rows that it lost and gained are those that its SELECT makes of the rows that the table lost and
gained; so changes flow through it without its rows being stored. Where that cannot be seen for sure, the answer is no,
and whatever reads the view is built whole when the view may have changed.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

from sqlglot import exp

from progress_pipeline.warehouse.models import Model

_ROW_BOUND = ("group", "having", "distinct", "limit", "offset", "qualify", "windows", "sample")


class _Kind(Enum):
    """What the rows of a query come from."""

    LOOKUPS = "lookups alone"
    ONE_ROW = "one row of one table, beside lookups"
    OTHER = "several rows, or not known"


def passes_rows_on(model: Model) -> bool:
    """Say whether each row of a model comes from one row of one table, lookups (`read_whole`) beside it aside."""
    return _of_query(model.text.expression, {}, model.read_whole) is _Kind.ONE_ROW


def _of_query(query: exp.Expr, steps: Mapping[str, _Kind], lookups: frozenset[str]) -> _Kind:
    """Judge a SELECT, a union or a bracket around one, given the steps (CTEs) it may name."""
    known = dict(steps)
    for cte in query.ctes if isinstance(query, exp.Query) else ():
        known[cte.alias.lower()] = _of_query(cte.this, known, lookups)
    if _reads_lookups_alone(query, known, lookups):
        return _Kind.LOOKUPS
    if any(query.args.get(part) for part in _ROW_BOUND) or is_recursive(query):
        return _Kind.OTHER
    if isinstance(query, exp.Subquery):
        return _of_query(query.this, known, lookups)
    if isinstance(query, exp.Union) and not query.args.get("distinct"):
        kinds = {_of_query(query.this, known, lookups), _of_query(query.expression, known, lookups)}
        return kinds.pop() if len(kinds) == 1 else _Kind.OTHER
    if isinstance(query, exp.Select):
        return _of_select(query, known, lookups)
    return _Kind.OTHER


def _of_select(select: exp.Select, steps: Mapping[str, _Kind], lookups: frozenset[str]) -> _Kind:
    from_ = select.args.get("from_")
    first = _of_source(from_.this, steps, lookups) if from_ else _Kind.LOOKUPS
    joined = [(join, _of_source(join.this, steps, lookups)) for join in select.args.get("joins") or []]
    kinds = [first, *(kind for _, kind in joined)]
    if _Kind.OTHER in kinds or kinds.count(_Kind.ONE_ROW) != 1 or select.args.get("laterals"):
        return _Kind.OTHER
    for node in own_nodes(select):
        if isinstance(node, exp.AggFunc | exp.Window):
            return _Kind.OTHER
        if isinstance(node, exp.Query) and not _reads_lookups_alone(node, steps, lookups):
            return _Kind.OTHER
    for join, kind in joined:
        keeps_the_left = join.side in {"", "LEFT"} and join.kind in {"", "INNER", "CROSS"}
        if not keeps_the_left or (kind is _Kind.ONE_ROW and join.side == "LEFT"):
            return _Kind.OTHER
    return _Kind.ONE_ROW


def _of_source(source: exp.Expr, steps: Mapping[str, _Kind], lookups: frozenset[str]) -> _Kind:
    """Judge what stands in a FROM or a JOIN."""
    if isinstance(source, exp.Subquery):
        return _of_query(source, steps, lookups)
    if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier) and not source.args.get("joins"):
        if not source.db:
            return steps.get(source.name.lower(), _Kind.OTHER)
        return _Kind.LOOKUPS if table_name(source) in lookups else _Kind.ONE_ROW
    if isinstance(source, exp.Unnest | exp.Values):
        return _Kind.LOOKUPS
    return _Kind.OTHER


def _reads_lookups_alone(query: exp.Expr, steps: Mapping[str, _Kind], lookups: frozenset[str]) -> bool:
    return all(
        table_name(table) in lookups if table.db else steps.get(table.name.lower()) is _Kind.LOOKUPS
        for table in query.find_all(exp.Table)
    )


def is_recursive(query: exp.Expr) -> bool:
    """Say whether a query has a step that reads itself."""
    with_ = query.args.get("with_")
    return bool(with_ is not None and with_.recursive)


def table_name(table: exp.Table) -> str:
    """Give the `schema.table` of a table in a query, in lower case."""
    return f"{table.db}.{table.name}".lower()


def own_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """Give the nodes of a SELECT's own expressions: neither what it reads from, nor inside queries nested in them."""
    skipped = {id(select.args.get("with_"))}
    for part in (select.args.get("from_"), *(select.args.get("joins") or []), *(select.args.get("laterals") or [])):
        if part is not None:
            skipped.add(id(part.this))

    def below(node: exp.Expr) -> Iterator[exp.Expr]:
        for child in node.iter_expressions():
            if id(child) not in skipped:
                yield child
                if not isinstance(child, exp.Query):
                    yield from below(child)

    return below(select)
