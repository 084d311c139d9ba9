"""Asking the published file in SQL, for reading alone."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import duckdb

MOST_ROWS = 200
"""Rows that a person is shown of one answer."""


def sql(
    query: Annotated[str, typer.Option("-c", "--command", metavar="SQL", help="Ask this, and end.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, every row; with -c.")] = False,
    for_spreadsheet: Annotated[
        bool, typer.Option("--csv", help="Answer in CSV for a spreadsheet, no text in it a formula; with -c.")
    ] = False,
) -> None:
    """Ask the published file in SQL: one query, or DuckDB's own shell if it is there, or a small prompt."""
    import os
    import shutil

    from progress_pipeline.cli.spreadsheet import as_csv
    from progress_pipeline.cli.terminal import print_json
    from progress_pipeline.errors import UsageError
    from progress_pipeline.settings import load_settings
    from progress_pipeline.warehouse.connection import connect

    path = load_settings().published_path
    if (as_json or for_spreadsheet) and not query:
        raise UsageError('--json and --csv need a query: progress-pipeline sql --csv -c "select …".')
    if as_json and for_spreadsheet:
        raise UsageError("An answer is either JSON or CSV. Leave out --json or --csv.")
    if not path.exists():
        raise UsageError(f"There is no published file at {path} yet. Run first: progress-pipeline run.")
    shell = shutil.which("duckdb")
    if not query and shell:
        os.execv(shell, [shell, "-readonly", str(path)])  # noqa: S606 - the person asked for this shell
    with connect(path, read_only=True) as connection:
        if not query:
            _prompt(connection)
        elif for_spreadsheet:
            typer.echo(as_csv(*_ask(connection, query)), nl=False)
        elif as_json:
            print_json(_by_name(*_ask(connection, query)))
        else:
            _show(_by_name(*_ask(connection, query)))


def _ask(connection: "duckdb.DuckDBPyConnection", query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Give the names of an answer's columns, and its rows.

    Raises:
        UsageError: DuckDB cannot answer it; the message is DuckDB's own.
    """
    import duckdb

    from progress_pipeline.errors import UsageError

    try:
        cursor = connection.execute(query)
        return [column[0] for column in cursor.description or ()], cursor.fetchall()
    except duckdb.Error as error:
        raise UsageError(str(error)) from error


def _by_name(names: list[str], rows: list[tuple[Any, ...]]) -> list[dict[str, object]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _show(rows: list[dict[str, object]]) -> None:
    from progress_pipeline.cli.terminal import print_table

    if not rows:
        typer.echo("no rows")
        return
    print_table(rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        typer.echo(f"… {len(rows) - MOST_ROWS} more rows; --json with -c gives all", err=True)


def _prompt(connection: "duckdb.DuckDBPyConnection") -> None:
    """Take queries, each ended by a semicolon, until the input ends."""
    from contextlib import suppress

    from progress_pipeline.errors import UsageError

    with suppress(ImportError):
        import readline  # noqa: F401 - being there, it lets `input` edit and remember
    typer.echo("Queries end with ; and the prompt with Ctrl-D. What is here: show all tables;", err=True)
    lines: list[str] = []
    while True:
        try:
            lines.append(input("   …> " if lines else "sql> "))
        except EOFError:
            return
        if lines[-1].rstrip().endswith(";"):
            try:
                _show(_by_name(*_ask(connection, "\n".join(lines))))
            except UsageError as error:
                typer.echo(str(error), err=True)
            lines = []
