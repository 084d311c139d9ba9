"""The SQL models: one SELECT a file, the path is the name, what it reads is read out of it.

A model is a value; nothing here knows a connection. How a model becomes a table is in `building.py`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.metadata import Metadata, ModelEntry, read_metadata
from progress_pipeline.warehouse.sql_text import SqlText, parse_sql, read_sql

SCHEMAS: tuple[str, ...] = ("staging", "intermediate", "marts", "audit")
"""The folders that hold models, each a schema of the warehouse."""

RAW = "raw"
"""The schema that models read and none makes."""

Materialized = Literal["view", "table", "incremental"]


@dataclass(frozen=True)
class Column:
    """A described column of a model."""

    name: str
    description: str


@dataclass(frozen=True)
class Model:
    """One SQL file and what its YAML says of it; `docs/models.md` explains the keys.

    Attributes:
        name: The table it makes, such as `marts.fct_progress`.
        path: The file.
        text: The SELECT as it was read; `sql`, `depends_on` and `lines` are of it.
        description: What it is, in plain sentences.
        grain: "One row per …".
        key: The columns that make a row unique.
        columns: The described columns, in the order of the YAML.
        materialized: view, table (made whole when something changed) or incremental (by key).
        incremental_by: The columns by which changed rows are found in its upstreams; empty if it is not incremental.
        found_by: By column of texts, the column of their `text_number`, by which rows are found quicker.
        found_through: By model that reads it or that it reads, the column that both have beside their key.
        read_whole: Upstreams that every key reads whole, and whose change by itself changes no key.
        keys_from: SELECTs that turn the changed rows of an upstream into keys of this model, by upstream.
        also_keys: A SELECT of keys that are refreshed whenever anything changed; empty if there is none.
        rebuild_when: A SELECT whose answer makes the model be built whole when it changes; empty if there is none.
        updated_in_place: Raw tables where a later row takes the place of the earlier one of the same incremental key.
        sorted_by: The columns by which its rows lie sorted where it is made whole; empty if that does not matter.
    """

    name: str
    path: Path
    text: SqlText = field(repr=False, compare=False)
    description: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    materialized: Materialized
    incremental_by: tuple[str, ...] = ()
    found_by: tuple[tuple[str, str], ...] = ()
    found_through: tuple[tuple[str, str], ...] = ()
    read_whole: frozenset[str] = frozenset()
    keys_from: tuple[tuple[str, SqlText], ...] = ()
    also_keys: str = ""
    rebuild_when: str = ""
    updated_in_place: frozenset[str] = frozenset()
    sorted_by: tuple[str, ...] = ()

    @property
    def schema(self) -> str:
        """The schema it stands in."""
        return self.name.partition(".")[0]

    @property
    def sql(self) -> str:
        """The SELECT, verbatim."""
        return self.text.text

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The tables that the SELECT names, sorted."""
        return tuple(reference.name for reference in self.text.references)

    @property
    def lines(self) -> dict[str, int]:
        """The line that each of them is first named in."""
        return {reference.name: reference.line for reference in self.text.references}


def read_models(folder: Path, *, raw_tables: Collection[str] | None = None) -> tuple[Model, ...]:
    """Read all models below a folder, each after those it reads.

    Args:
        folder: The folder that holds `staging`, `intermediate`, `marts` and `audit`.
        raw_tables: The raw tables there are, such as `raw.api_progress`; without it any is believed until it is built.

    Raises:
        ModelError: A file is no single SELECT, reads a table that nothing makes, is part of a circle, has no entry in
            its folder's YAML, or that YAML names a model or column that is not there. File and line are in the message.
    """
    models: dict[str, Model] = {}
    for schema in SCHEMAS:
        metadata = read_metadata(folder / schema)
        files = {path.stem: path for path in sorted((folder / schema).glob("*.sql"))}
        for name in metadata.models:
            if name not in files:
                raise ModelError(f"{metadata.where(name)}: there is no {schema}/{name}.sql for this entry.")
        for stem, path in files.items():
            model = _model(f"{schema}.{stem}", path, metadata)
            models[model.name] = model
    known = models.keys() | set(raw_tables or ())
    for model in models.values():
        for reference in model.text.references:
            is_believed = raw_tables is None and reference.name.startswith(f"{RAW}.")
            if reference.name not in known and not is_believed:
                raise ModelError(f"{model.path}:{reference.line}: there is no table {reference.name}.")
        for through, column in model.found_through:
            _demand_directory(model, models.get(through), through, column)
    return tuple(_in_order(models))


def _demand_directory(model: Model, directory: Model | None, name: str, column: str) -> None:
    """See that a model through which rows are found is incremental, reads the other or is read, and has the column."""
    made = output_columns(directory) if directory else ()
    is_near = directory and (model.name in directory.depends_on or name in model.depends_on)
    if directory is None or not directory.incremental_by or not is_near:
        raise ModelError(
            f"{model.path}: `found_through` names {name}, which is no incremental model that reads it or that it reads."
        )
    if made is not None and column not in made:
        raise ModelError(f"{model.path}: `found_through` names {column}, which {name} does not have.")


def _model(name: str, path: Path, metadata: Metadata) -> Model:
    entry = metadata.models.get(path.stem)
    if entry is None:
        raise ModelError(f"{path}:1: {name} has no entry in {metadata.path}.")
    by = (entry.incremental_by,) if isinstance(entry.incremental_by, str) else entry.incremental_by
    text = read_sql(path)
    known = {name, *(reference.name for reference in text.references)}
    model = Model(
        name=name,
        path=path,
        text=text,
        description=" ".join(entry.description.split()),
        grain=" ".join(entry.grain.split()),
        key=entry.key,
        columns=tuple(Column(column, " ".join(about.split())) for column, about in entry.columns.items()),
        materialized=entry.materialized,
        incremental_by=by,
        found_by=tuple(entry.found_by.items()),
        found_through=tuple(entry.found_through.items()),
        read_whole=frozenset(entry.read_whole),
        keys_from=tuple(
            (upstream, _small_select(sql, f"{path} ({upstream})", known))
            for upstream, sql in sorted(entry.keys_from.items())
        ),
        also_keys=entry.also_keys.strip(),
        rebuild_when=entry.rebuild_when.strip(),
        updated_in_place=frozenset(entry.updated_in_place),
        sorted_by=entry.sorted_by,
    )
    for problem in _misfits(model, entry):
        raise ModelError(f"{metadata.where(path.stem)}: {name}: {problem}")
    for key, sql in (("also_keys", model.also_keys), ("rebuild_when", model.rebuild_when)):
        if sql:
            _small_select(sql, f"{path} ({key})", known)
    return model


def _small_select(sql: str, where: str, known: Collection[str]) -> SqlText:
    """Read one of the small SELECTs of a model's YAML.

    Raises:
        ModelError: It is no single SELECT, or reads something else than the model and what the model reads.
    """
    text = parse_sql(sql, where=where)
    for reference in text.references:
        if reference.name not in known:
            raise ModelError(
                f"{where}: {reference.name} is neither this model nor named in its SQL; "
                "name it there, or it may not be ready yet."
            )
    return text


def _misfits(model: Model, entry: ModelEntry) -> Iterator[str]:
    """Say where the YAML does not fit the SQL."""
    made = output_columns(model)
    if made is not None:
        found_by = {column for pair in model.found_by for column in pair} | {*entry.found_through.values()}
        named = {*entry.columns, *model.key, *model.incremental_by, *model.sorted_by, *found_by}
        for column in sorted(named - set(made)):
            yield f"the SQL makes no column {column}."
    if not model.key:
        yield "`key` names no column."
    if (model.materialized == "incremental") != bool(model.incremental_by):
        yield "`materialized: incremental` and `incremental_by` belong together."
    if not model.incremental_by and (model.also_keys or model.keys_from or model.rebuild_when or model.found_through):
        yield "`also_keys`, `found_through`, `keys_from` and `rebuild_when` are for incremental models."
    for upstream in sorted({*model.read_whole, *entry.keys_from} - set(model.depends_on)):
        yield f"{upstream} is not read by the SQL."


def output_columns(model: Model) -> tuple[str, ...] | None:
    """Give the names of the columns that a model makes, or None if a star hides them."""
    if model.text.expression.is_star:
        return None
    return tuple(name.lower() for name in model.text.expression.named_selects)


def _in_order(models: dict[str, Model]) -> Iterator[Model]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(models):
        sorter.add(name, *(upstream for upstream in models[name].depends_on if upstream in models))
    try:
        order = tuple(sorter.static_order())
    except CycleError as error:
        circle = error.args[1]
        model = models[circle[1]]
        line = model.lines.get(circle[0], 1)
        raise ModelError(f"{model.path}:{line}: models read each other in a circle: {' -> '.join(circle)}.") from error
    return (models[name] for name in order)
