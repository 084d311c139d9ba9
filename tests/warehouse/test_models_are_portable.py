"""Every model and check keeps to the SQL that DuckDB and Spark share; and the guard sees what does not."""

import pytest

from progress_pipeline.warehouse.checking import read_checks
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.portability import find_unportable
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER


def test_every_model_and_check_runs_on_both_engines() -> None:
    """Nothing in `dbt_like_sql` is of one engine alone, or means something else on the other."""
    statements = {model.path: model.sql for model in read_models(SQL_FOLDER)}
    statements |= {check.path: check.sql for check in read_checks(SQL_FOLDER)}
    problems = [
        f"{path}:{problem.line}: {problem.what}" for path, sql in statements.items() for problem in find_unportable(sql)
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("date_diff('day', a, b)", "date_diff() was not tried"),
        ("strftime(a, '%Y')", "strftime() was not tried"),
        ("now()", "now() was not tried"),
        ("current_date", "asks the clock"),
        ("random()", "random() was not tried"),
        ("started_at - completed_at", "seconds_between or days_between"),
        ("cast(a as date) - cast(b as date)", "seconds_between or days_between"),
        ("extract(dow from a)", "extract(dow …) differs"),
        ("cast(2.5 as int)", "rounds in DuckDB and cuts in Spark"),
        ("cast(a / 2 as bigint)", "rounds in DuckDB and cuts in Spark"),
        ("1 / 0", "may divide by zero"),
        ("a / b", "may divide by zero"),
        ("a % b", "may divide by zero"),
        ("a // 2", "`//` divides whole numbers in DuckDB alone"),
        ("row_number() over (partition by a order by b)", "an order says"),
        ("row_number() over (order by a nulls first, b desc)", "an order says"),
        ("avg(a)", "avg(cast(… as double))"),
        ("sum(a)", "put it in a cast"),
        ("sum(a) filter (where b > 1) over (partition by c)", "put it in a cast"),
        ("floor(a)", "put it in a cast"),
        ("cast(a as varchar)", "the type varchar is called string"),
        ("a::text", "the type text is called string"),
        ("a[1]", "counts from 1 in DuckDB"),
        ('"a"', "no quotes"),
        ("'a\\b'", "a backslash in a text"),
        ("* exclude (a)", "a star with exclude"),
        ("distinct on (a) b", "distinct on is DuckDB's alone"),
        ("a ^ 2", "is a power in DuckDB and bits in Spark"),
        ("a ->> 'key'", "json_text"),
        ("string_agg(a, ',')", "string_agg() was not tried"),
    ],
)
def test_what_differs_is_named_with_its_line(planted: str, said: str) -> None:
    """Each thing of STACK.md's list, and more that was found by trying, planted in a query."""
    (problem, *_) = find_unportable(f"with t as (\n    select * from raw.said\n)\nselect\n    {planted}\nfrom t")
    assert said in problem.what
    assert problem.line in {5, 1}


@pytest.mark.parametrize(
    "common",
    [
        "row_number() over (partition by a order by b desc nulls last, coalesce(c, d) asc nulls first)",
        "cast(sum(a) filter (where b > 1) over (partition by c order by d nulls first rows 1 preceding) as bigint)",
        "a / nullif(b, 0), a % 7, a / 2.5",
        "cast(round(a / 2) as bigint), cast(floor(a) as bigint), avg(cast(a as double))",
        "percentile_cont(0.5) within group (order by a nulls last), max_by(a, b), count(*) filter (where a)",
        "instant_of(a), seconds_between(b, c), joined_texts(array_agg(distinct d), ', ')",
        "cast(a as string) || b::string, try_cast(c as bigint), cast(started_at as date)",
        "(select max(load_number) from raw.runs) as newest, a in (select b from raw.runs), exists (select 1 as b)",
        "case when a like '%x' then 1 else 0 end, started_at + interval '1' day, date_trunc('day', a)",
    ],
)
def test_what_both_share_is_left_alone(common: str) -> None:
    """The guard does not stand in the way of what was tried on both."""
    assert find_unportable(f"select {common} from raw.said as said(a, b)") == []
