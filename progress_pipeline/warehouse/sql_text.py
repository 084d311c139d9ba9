"""Reading one SQL file: what it is made of, which tables it names and where, and whether it changed.

sqlglot reads here and only reads: the text that DuckDB runs is the file's own. What the names mean belongs to
`models.py`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from progress_pipeline.errors import ModelError

_DIALECT = Dialect.get_or_raise("duckdb")


@dataclass(frozen=True)
class Reference:
    """A table that a file names.

    Attributes:
        name: `schema.table`, in lower case.
        line: The line it is first named in, from 1.
    """

    name: str
    line: int


@dataclass(frozen=True)
class Place:
    """Where a text names a table.

    Attributes:
        name: `schema.table`, in lower case.
        start: Its first character.
        end: The character after its last.
        alias: What the rest of the text calls it, if that is the table's own name; empty if the text says another.
    """

    name: str
    start: int
    end: int
    alias: str


@dataclass(frozen=True)
class SqlText:
    """A file that holds one SELECT.

    Attributes:
        text: The statement as it stands in the file, line for line, without a closing semicolon.
        expression: What sqlglot made of it.
        references: The tables it names, each once, sorted by name.
        fingerprint: A hash that stays when only comments or blank space change.
    """

    text: str
    expression: exp.Query
    references: tuple[Reference, ...]
    places: tuple[Place, ...]
    fingerprint: str

    def over(self, stand_ins: Mapping[str, str]) -> str:
        """Give the text with something else in the place of some tables.

        Args:
            stand_ins: By `schema.table`, what to read instead: a table, or a SELECT in brackets.
        """
        pieces, end = [], 0
        for place in self.places:
            if place.name in stand_ins:
                alias = f' as "{place.alias}"' if place.alias else ""
                pieces += [self.text[end : place.start], stand_ins[place.name], alias]
                end = place.end
        return "".join((*pieces, self.text[end:]))


def read_sql(path: Path) -> SqlText:
    """Read a file that holds one SELECT.

    Raises:
        ModelError: It is no single SELECT, or names a table other than as `schema.table`.
    """
    return parse_sql(path.read_text(encoding="utf-8"), where=str(path))


def parse_sql(text: str, *, where: str, first_line: int = 1) -> SqlText:
    """Read one SELECT from text.

    Args:
        text: The statement.
        where: The file it stands in, for messages.
        first_line: The file's line that the text begins in.

    Raises:
        ModelError: As `read_sql`.
    """
    try:
        tokens = _DIALECT.tokenize(text)
        parsed = _DIALECT.parser().parse(tokens, text)
    except ParseError as error:
        problem = error.errors[0]
        line = first_line - 1 + int(problem.get("line") or 1)
        raise ModelError(f"{where}:{line}: this is no SQL: {problem.get('description')}") from error
    except TokenError as error:
        raise ModelError(f"{where}:{first_line}: this is no SQL: {error}") from error
    statements = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ModelError(f"{where}:{first_line}: one SELECT is expected here, and nothing else.")
    closing = [token for token in tokens[-1:] if token.token_type is TokenType.SEMICOLON]
    content = "\x1f".join(f"{token.token_type.name}\x1e{token.text}" for token in tokens if token not in closing)
    return SqlText(
        text=text[: closing[0].start].rstrip() if closing else text.rstrip(),
        expression=statements[0],
        references=_references(statements[0], where, first_line),
        places=tuple(sorted(_places(statements[0]), key=lambda place: place.start)),
        fingerprint=hashlib.sha256(content.encode()).hexdigest()[:16],
    )


def _references(expression: exp.Query, where: str, first_line: int) -> tuple[Reference, ...]:
    ctes = {cte.alias.lower() for cte in expression.find_all(exp.CTE)}
    found: dict[str, int] = {}
    for table in expression.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue  # a table function, such as unnest
        line = first_line - 1 + int(table.this.meta.get("line", 1))
        if table.catalog:
            raise ModelError(f"{where}:{line}: {table.sql()} names a database; write schema.table.")
        if not table.db:
            if table.name.lower() in ctes:
                continue
            raise ModelError(f"{where}:{line}: {table.name} is neither a step of this query nor schema.table.")
        name = f"{table.db}.{table.name}".lower()
        found[name] = min(line, found.get(name, line))
    for column in expression.find_all(exp.Column):
        if column.args.get("db"):
            line = first_line - 1 + int(column.this.meta.get("line", 1))
            raise ModelError(f"{where}:{line}: {column.sql()} names a schema; give the table a name with `as`.")
    return tuple(Reference(name, line) for name, line in sorted(found.items()))


def _places(expression: exp.Query) -> Iterator[Place]:
    for table in expression.find_all(exp.Table):
        if table.db:
            start, end = table.args["db"].meta["start"], table.this.meta["end"] + 1
            yield Place(f"{table.db}.{table.name}".lower(), start, end, "" if table.alias else table.name)
