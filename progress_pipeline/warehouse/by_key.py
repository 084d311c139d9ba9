"""Whether a SELECT makes the rows of a key from the rows of that key alone: the promise behind `incremental_by`.

It is proven from the query's shape: the key is passed on by name, joins between tables equate it, groups and windows
are within it, nothing is limited or counted over all. What cannot be proven is named with its reason; it may still be
right, but nobody would know. Lookups (`read_whole`, `keys_from`) are the same for every key and so cannot break it.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from progress_pipeline.warehouse.key_scope import (
    LOOKUP,
    Rows,
    Scope,
    by_place,
    conjuncts,
    grouped,
    in_window,
    is_demanded,
    named_window,
    passed_on,
    renamed,
    using,
)
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.row_by_row import is_recursive, own_nodes, table_name


class NotProvenError(Exception):
    """The promise could not be proven; the message says where and why."""


def prove_by_key(model: Model) -> None:
    """Prove that a model can be refreshed by its key.

    Raises:
        NotProvenError: It cannot be proven.
    """
    lookups = model.read_whole | {upstream for upstream, _ in model.keys_from}
    _prove(model, model.incremental_by, lookups)


def is_by_key(view: Model, key: Sequence[str]) -> bool:
    """Say whether a view is proven to make the rows of a key, any key, from the rows of that key alone."""
    try:
        _prove(view, key, view.read_whole)
    except NotProvenError:
        return False
    return True


def _prove(model: Model, key: Sequence[str], lookups: frozenset[str]) -> None:
    rows = _Proof(key, lookups).of_query(model.text.expression, {}, None)
    for part, column in enumerate(key):
        if rows.key.get(column.lower()) != part:
            raise NotProvenError(f"the column {column} is not passed on from what it reads")


class _Proof:
    """One proof."""

    def __init__(self, key: Sequence[str], lookups: frozenset[str]) -> None:
        self._by = {column.lower(): part for part, column in enumerate(key)}
        self._lookups = lookups

    def of_query(self, query: exp.Expr, steps: Mapping[str, Rows], outer: Scope | None) -> Rows:
        """Judge a SELECT, a set operation or a bracket around one."""
        if is_recursive(query):
            raise NotProvenError("a recursive step may reach any row")
        known = dict(steps)
        for cte in query.ctes if isinstance(query, exp.Query) else ():
            known[cte.alias.lower()] = renamed(cte, self.of_query(cte.this, known, None))
        if isinstance(query, exp.Subquery):
            rows = self.of_query(query.this, known, outer)
        elif isinstance(query, exp.SetOperation):
            rows = self._of_set_operation(query, known)
            if outer is not None and not rows.is_lookup:
                raise NotProvenError(f"a nested query reads rows of other keys: {query.sql('duckdb')[:80]}")
        elif isinstance(query, exp.Select):
            rows = self._of_select(query, known, outer)
        else:
            raise NotProvenError(f"{query.sql('duckdb')[:60]} is not understood")
        if (query.args.get("limit") or query.args.get("offset")) and not rows.is_lookup:
            raise NotProvenError("a limit chooses among the rows of all keys")
        return rows

    def _of_set_operation(self, query: exp.SetOperation, steps: Mapping[str, Rows]) -> Rows:
        left, right = self.of_query(query.this, steps, None), self.of_query(query.expression, steps, None)
        if left.is_lookup and right.is_lookup:
            return LOOKUP
        if left.is_lookup or (right.is_lookup and isinstance(query, exp.Union)):
            raise NotProvenError("a union with a lookup alone brings rows of no key")
        if not right.is_lookup and by_place(query.this, left) != by_place(query.expression, right):
            raise NotProvenError("the two sides of a set operation do not have the key in the same place")
        return left

    def _of_select(self, select: exp.Select, steps: Mapping[str, Rows], outer: Scope | None) -> Rows:
        scope = self._scope(select, steps, outer)
        is_lookup = all(rows.is_lookup for rows in scope.sources.values())
        for node in own_nodes(select):
            if isinstance(node, exp.Query):
                is_lookup &= self.of_query(node, steps, scope).is_lookup
        if is_lookup:
            return LOOKUP
        is_bound = outer is not None and self._is_bound_to(select, scope, outer)
        if outer is not None and not is_bound and not self._is_in_of_key(select, scope, outer):
            raise NotProvenError(f"a nested query reads rows of other keys: {select.sql('duckdb')[:80]}")
        if not is_bound:
            self._demand_groups_within(select, scope)
        key = dict(passed_on(select, scope))
        distinct = select.args.get("distinct")
        if distinct is not None and not is_bound:
            on = distinct.args.get("on")
            parts = set(key.values()) if on is None else {scope.part(expression) for expression in on.expressions}
            if not set(self._by.values()) <= parts:
                raise NotProvenError("a distinct without the key looks at the rows of all keys")
        return Rows(key)

    def _scope(self, select: exp.Select, steps: Mapping[str, Rows], outer: Scope | None) -> Scope:
        """Read FROM and JOINs in order, and see that each join stays within the key."""
        scope = Scope(outer=outer)
        from_ = select.args.get("from_")
        if from_ is not None:
            scope.sources[from_.this.alias_or_name.lower()] = self._of_source(from_.this, steps)
            scope.certain = set(scope.sources)
        where = select.args.get("where")
        for join in select.args.get("joins") or []:
            name = join.this.alias_or_name.lower()
            before = dict(scope.sources)
            rows = scope.sources[name] = self._of_source(join.this, steps)
            tests = [*conjuncts(join.args.get("on")), *using(join, before, name)]
            if not join.side:
                tests += conjuncts(where.this if where else None)
            self._demand_link(scope, before, name, tests)
            self._settle(scope, join, name, rows)
        if select.args.get("laterals"):
            raise NotProvenError("a lateral join is not understood")
        return scope

    def _of_source(self, source: exp.Expr, steps: Mapping[str, Rows]) -> Rows:
        if isinstance(source, exp.Subquery):
            return renamed(source, self.of_query(source, steps, None))
        if isinstance(source, exp.Unnest | exp.Values):
            return LOOKUP
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            if not source.db:
                return renamed(source, steps[source.name.lower()])
            return LOOKUP if table_name(source) in self._lookups else renamed(source, Rows(self._by))
        return LOOKUP if isinstance(source, exp.Table) else Rows()

    def _demand_link(
        self, scope: Scope, before: Mapping[str, Rows], name: str, tests: Sequence[tuple[exp.Expr, exp.Expr]]
    ) -> None:
        """See that a joined source has the key of another that was read before it."""
        others = {place for place, rows in before.items() if not rows.is_lookup}
        if scope.sources[name].is_lookup or not others:
            return
        linked = set()
        for left, right in tests:
            for one, two in ((left, right), (right, left)):
                part = scope.part_of(one, {name})
                if part is not None and (scope.part_of(two, others) == part or scope.part(two) == part):
                    linked.add(part)
        if linked != set(self._by.values()):
            raise NotProvenError(f"{name} is joined by something else than the key")

    def _settle(self, scope: Scope, join: exp.Join, name: str, rows: Rows) -> None:
        """Note in which rows the columns of a source can be null after a join, and refuse what brings strange rows."""
        keyed = {place for place, other in scope.sources.items() if not other.is_lookup and place != name}
        if join.kind in {"SEMI", "ANTI"}:
            del scope.sources[name]
        elif join.side == "LEFT":
            if not keyed and not rows.is_lookup:
                raise NotProvenError(f"every row of a lookup stays, whether or not {name} has one for it")
        elif join.side == "FULL":
            if rows.is_lookup or not keyed:
                raise NotProvenError(f"a full join with a lookup brings rows of no key: {name}")
            scope.merged |= {*(scope.merged or scope.certain & keyed), name}
            scope.certain = set()
        elif join.side == "RIGHT":
            if rows.is_lookup and keyed:
                raise NotProvenError(f"every row of the lookup {name} stays, whatever the key")
            scope.certain = {name}
        else:
            scope.certain.add(name)

    def _demand_groups_within(self, select: exp.Select, scope: Scope) -> None:
        """See that what looks at several rows looks at those of one key."""
        wanted = set(self._by.values())
        for node in own_nodes(select):
            if isinstance(node, exp.Window):
                partition = named_window(select, node).args.get("partition_by") or []
                if not wanted <= {scope.part(part) for part in partition}:
                    raise NotProvenError(f"a window reaches over keys: {node.sql('duckdb')[:80]}")
        group = select.args.get("group")
        counts = any(isinstance(node, exp.AggFunc) and not in_window(node) for node in own_nodes(select))
        if group is None and not counts:
            return
        parts = {scope.part(expression) for expression in grouped(select, group)}
        if group is not None and any(group.args.get(kind) for kind in ("grouping_sets", "cube", "rollup")):
            parts = set()
        if not wanted <= parts:
            raise NotProvenError(f"a group reaches over keys: {select.sql('duckdb')[:80]}")

    def _is_bound_to(self, select: exp.Select, scope: Scope, outer: Scope) -> bool:
        """Say whether a nested query reads only the rows of the key of the row around it."""
        where = select.args.get("where")
        found = {
            scope.find(one)[1]  # type: ignore[index] # the condition below looks
            for left, right in conjuncts(where.this if where else None)
            for one, two in ((left, right), (right, left))
            if (hit := scope.find(one)) is not None and outer.part(two) == hit[1] and scope.find(two) is None
        }
        return found == set(self._by.values())

    def _is_in_of_key(self, select: exp.Select, scope: Scope, outer: Scope) -> bool:
        """Say whether it is `key in (select key from …)`, which asks of each key only whether it has a row."""
        test = select.parent.parent if isinstance(select.parent, exp.Subquery) else select.parent
        chosen = [scope.part(expression.unalias()) for expression in select.expressions]
        if not isinstance(test, exp.In) or len(chosen) != 1 or len(self._by) != 1 or not is_demanded(test):
            return False
        return chosen[0] is not None and outer.part(test.this) == chosen[0]
