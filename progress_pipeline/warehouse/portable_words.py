"""How a SELECT is written: the functions, types, signs and orders that DuckDB and Spark both read the same.

Judged word by word, as it stands in the file. What only the shape of a query shows is judged in `portability.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS = _words(
    """
    count sum avg min max median max_by min_by any_value bool_or bool_and count_if array_agg percentile_cont
    row_number rank dense_rank ntile lag lead first_value last_value cast try_cast coalesce nullif least greatest if
    abs round floor ceil pow power sqrt ln mod sign lower upper trim ltrim rtrim length substr substring left right
    lpad rpad replace instr contains split_part concat_ws md5 date_trunc extract year month day make_date last_day
    """
)
"""Functions that were tried on both engines and agree, apart from what the rules below say of some of them."""

PRELUDE_FUNCTIONS = frozenset(
    {"json_text", "instant_of", "seconds_between", "days_between", "seconds_after", "text_number", "joined_texts"}
)
"""What `prelude/duckdb.sql` and `prelude/spark.sql` both define."""

_WORDS_BEFORE_A_BRACKET = _words(
    """
    in over as exists values using and or on not filter select from where when then else by group all distinct join
    union having qualify between like is case any with interval end limit within sets
    """
)
TYPE_NAMES = {
    **dict.fromkeys(("varchar", "text", "char", "bpchar"), "string"),
    **dict.fromkeys(("int8", "long", "hugeint", "ubigint", "integer", "int4", "int2"), "bigint or int"),
    **dict.fromkeys(("timestamptz", "datetime", "timestamp_ntz"), "timestamp"),
    **dict.fromkeys(("bool", "logical"), "boolean"),
    **dict.fromkeys(("float8", "real", "float4", "numeric"), "double, or decimal(p, s)"),
}
SIGNS = {
    "//": "divides whole numbers in DuckDB alone: floor(a / b) in a cast",
    "^": "is a power in DuckDB and bits in Spark: pow(a, b)",
    "**": "is DuckDB's alone: pow(a, b)",
    "~": "is DuckDB's alone: like",
    "[": "counts from 1 in DuckDB and from 0 in Spark, and is no list in Spark",
    "{": "is DuckDB's alone",
    "->": "is read in two ways: json_text(json, key)",
    "->>": "is DuckDB's alone: json_text(json, key)",
}
_END_OF_ORDER = frozenset({"rows", "range", "groups", "limit", "offset", "union", "qualify", "window", ";"})


@dataclass(frozen=True, order=True)
class Problem:
    """Something in a SELECT that the two engines do not share.

    Attributes:
        line: Where it stands, from 1; 1 for what holds no name, such as `1 / 0`.
        what: What it is, and what to write instead.
    """

    line: int
    what: str


def judge_words(tokens: list[Token]) -> Iterator[Problem]:
    """Judge functions, types, signs, quotes and texts as they are written."""
    opened: list[str] = []
    for number, token in enumerate(tokens):
        before = tokens[number - 1].text.lower() if number else ""
        if token.token_type is TokenType.L_PAREN:
            opened.append(before)
        elif token.token_type is TokenType.R_PAREN:
            opened = opened[:-1]
        is_call = number + 1 < len(tokens) and tokens[number + 1].token_type is TokenType.L_PAREN
        in_cast = before == "::" or (before == "as" and opened[-1:] in (["cast"], ["try_cast"]))
        what = _judge_quoted(token) or _judge_word(token.text.lower(), is_call and before not in {"as", "."}, in_cast)
        if what:
            yield Problem(token.line, what)


def _judge_quoted(token: Token) -> str | None:
    if token.token_type is TokenType.STRING and "\\" in token.text:
        return "a backslash in a text is taken by Spark and kept by DuckDB"
    if token.token_type is TokenType.IDENTIFIER:
        return f'"{token.text}" is a name in DuckDB and a text in Spark: no quotes'
    return None


def _judge_word(word: str, is_call: bool, in_cast: bool) -> str | None:
    if word in SIGNS:
        return f"`{word}` {SIGNS[word]}"
    if is_call and word.isidentifier() and word not in FUNCTIONS | PRELUDE_FUNCTIONS | _WORDS_BEFORE_A_BRACKET:
        return f"{word}() was not tried on both engines; see FUNCTIONS in portable_words.py"
    if in_cast and word in TYPE_NAMES:
        return f"the type {word} is called {TYPE_NAMES[word]} on both engines"
    return None


def judge_orders(tokens: list[Token]) -> Iterator[Problem]:
    """See that each part of each order says where nulls go: the engines put them at different ends."""
    for number, token in enumerate(tokens):
        if token.token_type is not TokenType.ORDER_BY:
            continue
        depth, has_nulls, line = 0, False, token.line
        for following in tokens[number + 1 :]:
            word = following.text.lower()
            if depth == 0 and (word in _END_OF_ORDER or following.token_type is TokenType.R_PAREN):
                break
            depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(following.token_type, 0)
            if depth == 0 and following.token_type is TokenType.COMMA:
                if not has_nulls:
                    yield Problem(line, "an order says `nulls first` or `nulls last`")
                has_nulls = False
            elif depth == 0 and word == "nulls":
                has_nulls = True
            line = following.line
        if not has_nulls:
            yield Problem(line, "an order says `nulls first` or `nulls last`")
