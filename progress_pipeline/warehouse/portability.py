"""Whether a SELECT means the same to DuckDB and to Spark.

A function is allowed by name, since it was tried on both; the rest is refused until it was. What may not be used at all
follows from how the two were seen to differ: an order without `nulls`, a division by zero, a sum's type. Each problem
names its line. Nothing is rewritten. How a SELECT is written is judged in `portable_words.py`, its shape here.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from progress_pipeline.warehouse.portable_words import Problem, judge_orders, judge_words

_DIALECT = Dialect.get_or_raise("duckdb")

_FIELDS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE"})
_TYPED_ANEW = (exp.Sum, exp.Floor, exp.Ceil)
_REFUSED: dict[type[exp.Expr], str] = {
    exp.CurrentDate: "asks the clock: use as_of of the newest row of raw.runs",
    exp.CurrentTimestamp: "asks the clock: use as_of of the newest row of raw.runs",
    exp.Lambda: "is written otherwise in Spark",
    exp.Pivot: "is written otherwise in Spark",
    exp.TableSample: "gives other rows each time",
}


def find_unportable(sql: str) -> list[Problem]:
    """Find what DuckDB and Spark would not both run, or would run to another end.

    Args:
        sql: One SELECT that parses; see `read_sql`.

    Returns:
        The problems, by line.
    """
    tokens = _DIALECT.tokenize(sql)
    (tree,) = _DIALECT.parser().parse(tokens, sql)
    problems = {*judge_words(tokens), *judge_orders(tokens)}
    for node in tree.walk() if tree is not None else ():
        problems.update(Problem(_line(node), what) for judge in _JUDGES for what in judge(node))
    return sorted(problems)


def _judge_kind(node: exp.Expr) -> Iterator[str]:
    for kind, why in _REFUSED.items():
        if isinstance(node, kind):
            yield f"{node.sql('duckdb')} {why}"


def _judge_syntax(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Star) and (node.args.get("except_") or node.args.get("replace")):
        yield "a star with exclude or replace is written otherwise in Spark: name the columns"
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        yield "distinct on is DuckDB's alone: qualify row_number() over (…) = 1"
    if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
        yield "union by name is DuckDB's alone: name the columns in one order"


def _judge_arithmetic(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Div | exp.Mod) and not _is_safe_divisor(node.expression):
        yield f"{node.sql('duckdb')} may divide by zero, an error in Spark: nullif(…, 0)"
    if isinstance(node, exp.Cast) and node.is_type("int", "bigint", "smallint") and _has_fraction(node.this):
        yield f"{node.sql('duckdb')} rounds in DuckDB and cuts in Spark: floor or round first"


def _judge_instants(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Sub) and _is_instant(node.this) and _is_instant(node.expression):
        yield f"{node.sql('duckdb')} differs: seconds_between or days_between"
    if isinstance(node, exp.Extract) and node.name.upper() not in _FIELDS:
        yield f"extract({node.name.lower()} …) differs between the engines"


def _judge_types(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, _TYPED_ANEW) and not _is_cast(node):
        yield f"{node.sql('duckdb')} has another type in Spark: put it in a cast"
    if isinstance(node, exp.Avg) and not (isinstance(node.this, exp.Cast) and node.this.is_type("double")):
        yield f"{node.sql('duckdb')} of a decimal differs: avg(cast(… as double))"


_JUDGES: tuple[Callable[[exp.Expr], Iterator[str]], ...] = (
    _judge_kind,
    _judge_syntax,
    _judge_arithmetic,
    _judge_instants,
    _judge_types,
)


def _is_safe_divisor(divisor: exp.Expr) -> bool:
    if isinstance(divisor, exp.Paren):
        return _is_safe_divisor(divisor.this)
    if isinstance(divisor, exp.Literal) and divisor.is_number:
        return float(divisor.name) != 0
    return isinstance(divisor, exp.Nullif)


def _is_instant(node: exp.Expr) -> bool:
    """Say whether something is a date or an instant: by its cast, or by its name, which says so here."""
    if isinstance(node, exp.Cast):
        return bool(node.is_type("date", "timestamp"))
    return isinstance(node, exp.Column) and node.name.lower().endswith(("_at", "_date", "_day", "as_of", "day_utc"))


def _is_cast(node: exp.Expr) -> bool:
    """Say whether a call stands in a cast, its filter and window aside."""
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.Window | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Cast)


def _has_fraction(node: exp.Expr) -> bool:
    """Say whether a number may have a fraction that was not rounded away."""
    if isinstance(node, exp.Floor | exp.Ceil | exp.Round):
        return False
    return any(
        isinstance(inner, exp.Div | exp.Avg)
        or (isinstance(inner, exp.Literal) and inner.is_number and not inner.is_int)
        for inner in node.walk()
    )


def _line(node: exp.Expr) -> int:
    """Give the line of a node: that of the first name in it that has one."""
    return next((int(inner.meta["line"]) for inner in node.walk() if "line" in inner.meta), 1)
