"""What is generated into `docs/` is what the code says today, and a large room tells of all that is in it."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from progress_pipeline import vendor, warehouse
from progress_pipeline.orchestration.documenting import write_dictionary

DOCS = Path(__file__).parents[2] / "docs"


def test_the_data_dictionary_is_up_to_date() -> None:
    """`make dictionary` would change nothing."""
    assert (DOCS / "dictionary.md").read_text(encoding="utf-8") == write_dictionary()


@pytest.mark.parametrize("room", [vendor, warehouse], ids=["vendor", "warehouse"])
def test_the_map_of_a_large_room_names_each_of_its_modules(room: ModuleType) -> None:
    """It stands in the room's own docstring, and whoever adds a module says there what it belongs to."""
    modules = {path.stem for folder in room.__path__ for path in Path(folder).glob("*.py")} - {"__init__"}
    assert modules <= set(re.findall(r"\w+", room.__doc__ or ""))
