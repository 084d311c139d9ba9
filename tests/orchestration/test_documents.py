"""What is generated into `docs/` is what the code says today."""

from pathlib import Path

from progress_pipeline.orchestration.documenting import write_dictionary

DOCS = Path(__file__).parents[2] / "docs"


def test_the_data_dictionary_is_up_to_date() -> None:
    """`make dictionary` would change nothing."""
    assert (DOCS / "dictionary.md").read_text(encoding="utf-8") == write_dictionary()
