"""What the names in one SELECT stand for, as far as a model's key is concerned: pieces of the proof in `by_key.py`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp


@dataclass(frozen=True)
class Rows:
    """What a table, a step or a query shows.

    Attributes:
        key: By the name of a column, which part of the key it is; empty where the key was left behind.
        is_lookup: Whether it is made of lookups alone, and so is the same for every key.
    """

    key: Mapping[str, int] = field(default_factory=dict)
    is_lookup: bool = False


LOOKUP = Rows(is_lookup=True)


@dataclass
class Scope:
    """What the names in one SELECT stand for.

    Attributes:
        sources: What it reads from, by alias.
        certain: Those whose columns are null in no row for want of a match.
        merged: Sources joined in full, of which a row comes from any: only `coalesce` over all of them is the key.
    """

    sources: dict[str, Rows] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    merged: set[str] = field(default_factory=set)
    outer: "Scope | None" = None

    def part(self, node: exp.Expr | None) -> int | None:
        """Say which part of the key an expression is in every row, if it is one."""
        if isinstance(node, exp.Paren):
            return self.part(node.this)
        if isinstance(node, exp.Coalesce):
            return self._part_of_merged([node.this, *node.expressions])
        return self.part_of(node, self.certain)

    def part_of(self, node: exp.Expr | None, among: set[str]) -> int | None:
        """Say which part of the key a column of some sources is."""
        found = self.find(node)
        return found[1] if found and found[0] in among else None

    def find(self, node: exp.Expr | None) -> tuple[str, int] | None:
        """Give the source and the part of the key that a column is."""
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        name = node.name.lower()
        places = [node.table.lower()] if node.table else list(self.sources)
        hits = [(place, self.sources[place].key[name]) for place in places if name in self._key_of(place)]
        return hits[0] if len(hits) == 1 else None

    def _key_of(self, place: str) -> Mapping[str, int]:
        return self.sources[place].key if place in self.sources else {}

    def _part_of_merged(self, nodes: Sequence[exp.Expr]) -> int | None:
        found = [self.find(node) for node in nodes]
        parts = {hit[1] for hit in found if hit}
        places = {hit[0] for hit in found if hit}
        return parts.pop() if len(parts) == 1 and self.merged and self.merged <= places else None


def passed_on(select: exp.Select, scope: Scope) -> Iterator[tuple[str, int]]:
    """Give the columns of a SELECT that are parts of the key; of two of one name only the first counts."""
    names: set[str] = set()
    has_star = False
    for expression in select.expressions:
        inner = expression.unalias()
        star = inner.this if isinstance(inner, exp.Column) else inner
        if isinstance(star, exp.Star):
            place = inner.table.lower() if isinstance(inner, exp.Column) else next(iter(scope.sources))
            hidden = {column.name.lower() for column in star.args.get("except_") or []}
            hidden |= {column.alias.lower() for kind in ("replace", "rename") for column in star.args.get(kind) or []}
            if place in scope.certain and not has_star:
                yield from (
                    (name, part) for name, part in scope.sources[place].key.items() if name not in names | hidden
                )
            has_star = True
        elif (part := scope.part(inner)) is not None and expression.alias_or_name.lower() not in names:
            yield expression.alias_or_name.lower(), part
        names.add(expression.alias_or_name.lower())


def by_place(query: exp.Expr, rows: Rows) -> dict[int | str, int]:
    """Give the parts of the key by their place in a query's columns; by name where a star hides the places."""
    names = [name.lower() for name in query.named_selects] if isinstance(query, exp.Query) else []
    if "*" in names:
        return {name: part for name, part in rows.key.items()}  # noqa: C416 - the keys' type widens
    return {names.index(name): part for name, part in rows.key.items()}


def conjuncts(condition: exp.Expr | None) -> list[tuple[exp.Expr, exp.Expr]]:
    """Give the two sides of each equation that must hold for a condition to hold."""
    if isinstance(condition, exp.Paren):
        return conjuncts(condition.this)
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.this), *conjuncts(condition.expression)]
    if isinstance(condition, exp.EQ | exp.NullSafeEQ):
        return [(condition.this, condition.expression)]
    return []


def using(join: exp.Join, before: Mapping[str, Rows], name: str) -> list[tuple[exp.Expr, exp.Expr]]:
    """Give the equations that USING stands for."""
    return [
        (exp.column(column.name, table=place), exp.column(column.name, table=name))
        for column in join.args.get("using") or []
        for place in before
    ]


def grouped(select: exp.Select, group: exp.Group | None) -> Iterator[exp.Expr]:
    """Give what a SELECT groups by: expressions, aliases, places or all."""
    if group is None:
        return
    by_alias = {expression.alias.lower(): expression.unalias() for expression in select.expressions if expression.alias}
    if group.args.get("all"):
        yield from (expression.unalias() for expression in select.expressions)
    for expression in group.expressions:
        if isinstance(expression, exp.Literal) and expression.is_int:
            yield select.expressions[int(expression.name) - 1].unalias()
        else:
            yield expression
            if isinstance(expression, exp.Column) and not expression.table and expression.name.lower() in by_alias:
                yield by_alias[expression.name.lower()]


def renamed(source: exp.Expr, rows: Rows) -> Rows:
    """Forget the key of a source whose columns are given other names, as in `said as s(a, b)`."""
    alias = source.args.get("alias")
    return Rows() if alias is not None and alias.args.get("columns") and not rows.is_lookup else rows


def is_demanded(test: exp.Expr) -> bool:
    """Say whether rows are kept only where a test holds; elsewhere a null among its values would tell on all keys."""
    parent = test.parent
    while isinstance(parent, exp.And | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Where)


def named_window(select: exp.Select, window: exp.Window) -> exp.Window:
    """Give the window that `over name` means, or the window itself."""
    name = window.args.get("alias")
    for named in select.args.get("windows") or []:
        if name is not None and named.name == name.name:
            return named  # type: ignore[no-any-return] # sqlglot types its args as anything
    return window


def in_window(node: exp.Expr) -> bool:
    """Say whether an aggregate stands in a window."""
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
        parent = parent.parent
    return isinstance(parent, exp.Window)
