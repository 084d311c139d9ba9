"""Keeps out of a load what its libraries import only to find that it is not needed.

pyarrow imports pandas at the first list that it turns into an array, to see whether the list is one of pandas' (0.25 s
of CPU, 38 MB); where pandas was not found at that moment, it imports it when something is turned into pandas' own. dlt
imports SQLAlchemy to write the warehouse's path as an address (0.13 s), and has a class of its own for where there is
none. Each is left alone where the process has it already.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa
from dlt.common.libs import sql_alchemy_shims


class _NoPandas:
    """Says that there is no pandas."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse pandas, and leave all else to others."""
        if name == "pandas":
            raise ModuleNotFoundError(name)
        return None


def keep_imports_lean() -> None:
    """Have pyarrow look for pandas now, and not find it; have dlt take its own address class."""
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas)
        try:
            pa.array([0])
        finally:
            sys.meta_path.remove(_NoPandas)
    if "sqlalchemy" not in sys.modules:
        sys.modules.setdefault("dlt.common.libs.sql_alchemy_compat", sql_alchemy_shims)
