"""Random little projects for property tests: models of every kind over two raw tables, all with the columns k, g and v.

Each form below is one way to write a model. `{a}`, `{b}` stand for relations that were made before it.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from hypothesis import strategies as st

from tests.warehouse.projects import Project

Entry: TypeAlias = dict[str, object]

BY_K: Entry = {"materialized": "incremental", "incremental_by": "k"}
BY_G: Entry = {"materialized": "incremental", "incremental_by": "g"}
BY_BOTH: Entry = {"materialized": "incremental", "incremental_by": ["k", "g"]}
TABLE: Entry = {"materialized": "table"}
VIEW: Entry = {"materialized": "view"}

NEWEST_RUN = "(select max(as_of) from raw.runs)"

FORMS: dict[str, tuple[str, Entry]] = {
    "newest per key": (
        "select k, g, v from {a} qualify row_number() over (partition by k order by g nulls first, v nulls first) = 1",
        BY_K,
    ),
    "sums per group": ("select max(k) as k, g, cast(sum(v) as bigint) as v from {a} group by g", BY_G),
    "sums per pair": ("select k, g, cast(sum(v) as bigint) as v from {a} group by k, g", BY_BOTH),
    "two joined": (
        """
        with right_side as (select k, cast(count(*) as bigint) as n from {b} group by k)
        select l.k, l.g, r.n as v from {a} as l left join right_side as r on l.k is not distinct from r.k
        """,
        BY_K,
    ),
    "both sides": (
        """
        with l as (select k, max(g) as g from {a} where k is not null group by k),
        r as (select k, max(v) as v from {b} where k is not null group by k)
        select coalesce(l.k, r.k) as k, l.g, r.v from l full join r on l.k = r.k
        """,
        BY_K,
    ),
    "stacked": ("select k, g, v from {a} union all select k, g, -v as v from {b}", BY_K),
    "only where not": (
        "select k, g, v from {a} as l where not exists (select 1 from {b} as r where r.g = l.g)",
        BY_G,
    ),
    "joined by another column": (
        """
        with lookup as (select g, min(v) as v from {b} group by g)
        select l.k, l.g, r.v from {a} as l join lookup as r on l.g = r.g
        """,
        {**BY_K, "keys_from": {"{b}": "select l.k from {a} as l join {b} as r on l.g = r.g"}},
    ),
    "judged by time": (
        f"select k, max(g) as g, cast(max(v) + 4 < {NEWEST_RUN} as bigint) as v from {{a}} group by k",
        {**BY_K, "read_whole": ["raw.runs"], "also_keys": "select k from {self} where v = 0 or v is null"},
    ),
    "judged by a setting": (
        "select k, g, v + (select max_by(setting, load_number) from raw.runs) as v from {a}",
        {
            **BY_K,
            "read_whole": ["raw.runs"],
            "rebuild_when": "select max_by(setting, load_number) from raw.runs",
        },
    ),
    "small table": ("select min(k) as k, g, cast(count(*) as bigint) as v from {a} group by g", TABLE),
    "projected view": ("select k, v as g, g as v from {a} where v is distinct from 2", VIEW),
    "stacked view": ("select k, g, v from {a} union all select g as k, k as g, v from {a}", VIEW),
    "grouped view": ("select k, max(g) as g, min(v) as v from {a} group by k", VIEW),
}
"""Ways to write a model, by name: the SQL, and what its YAML says."""

STAGINGS: dict[str, Entry] = {
    "view": VIEW,
    "table": TABLE,
    "by load": {"materialized": "incremental", "incremental_by": "load_number"},
    "by group": BY_G,
}


PAIRS = "intermediate.int_pairs"
"""Through which the rows of the first staging model are found, where that is incremental: all its pairs of k and v."""


@dataclass
class Plan:
    """A random project.

    Attributes:
        stagings: How the two staging models are materialised.
        layers: For each further model, its form and the relations it reads.
    """

    stagings: tuple[str, str]
    layers: list[tuple[str, int, int]] = field(default_factory=list)

    def write(self, project: Project) -> list[str]:
        """Write the models; gives their names."""
        names = []
        for number, how in enumerate(self.stagings):
            name = f"staging.stg_{number}"
            sql = f"select try_cast(k as bigint) as k, g, v, load_number from raw.said_{number}"
            through = {"found_through": {PAIRS: "v"}} if number == 0 and "incremental_by" in STAGINGS[how] else {}
            project.write(name, sql, **STAGINGS[how], **through)
            names.append(name)
        pairs = f"select k, cast(count(*) as bigint) as g, v from {names[0]} where v is not null group by k, v"
        project.write(PAIRS, pairs, **BY_K)
        named = f"select k, g, v from {PAIRS} where g <> 2"
        project.write("intermediate.int_pairs_named", named, found_through={PAIRS: "v"}, **BY_K)
        names += [PAIRS, "intermediate.int_pairs_named"]
        for number, (form, first, second) in enumerate(self.layers):
            sql, entry = FORMS[form]
            a, b = names[first % len(names)], names[second % len(names)]
            name = f"intermediate.int_{number}"
            if a == b:
                b = names[(second + 1) % len(names)]
            project.write(name, sql.format(a=a, b=b), **_filled(entry, a, b, name))
            names.append(name)
        return names


def _filled(entry: Entry, a: str, b: str, name: str) -> Entry:
    """Put names into the texts of an entry."""

    def put(value: object) -> object:
        if isinstance(value, str):
            return value.replace("{a}", a).replace("{b}", b).replace("{self}", name)
        if isinstance(value, dict):
            return {put(key): put(inner) for key, inner in value.items()}
        return value

    return {key: put(value) for key, value in entry.items()}


plans = st.builds(
    Plan,
    st.tuples(st.sampled_from(sorted(STAGINGS)), st.sampled_from(sorted(STAGINGS))),
    st.lists(st.tuples(st.sampled_from(sorted(FORMS)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7),
)

rows = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", "4", "no number"]),
        st.none() | st.integers(1, 3),
        st.none() | st.integers(0, 9),
    ),
    max_size=5,
)


@dataclass(frozen=True)
class Load:
    """A load: rows for the two raw tables, and a run's instant and setting."""

    first: list[tuple[str, int | None, int | None]]
    second: list[tuple[str, int | None, int | None]]
    setting: int


@dataclass(frozen=True)
class BuildAll:
    """A build of everything."""


@dataclass(frozen=True)
class BuildSome:
    """A build of some models only."""

    chosen: frozenset[int]


@dataclass(frozen=True)
class BuildAndFail:
    """A build whose last model fails when the others are done."""


@dataclass(frozen=True)
class Tamper:
    """Something that should not happen to raw: a row vanishes, or comes late, below the load numbers already built."""

    is_deletion: bool


@dataclass(frozen=True)
class ChangeSql:
    """A model's SQL changes."""

    chosen: int


Step = Load | BuildAll | BuildSome | BuildAndFail | Tamper | ChangeSql

loads = st.builds(Load, rows, rows, st.sampled_from([0, 0, 0, 1]))
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        loads,
        loads,
        st.just(BuildAll()),
        st.builds(BuildSome, st.frozensets(st.integers(0, 8))),
        st.just(BuildAndFail()),
        st.builds(Tamper, st.booleans()),
        st.builds(ChangeSql, st.integers(0, 8)),
    ),
    min_size=2,
    max_size=9,
)
