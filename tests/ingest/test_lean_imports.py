"""What a load's libraries import for nothing stays out of it."""

import subprocess
import sys
from pathlib import Path

LOAD = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.ingest.webhook import load_landed, webhook

folder, now = Path(sys.argv[1]), datetime.now(UTC)
for name in ("first", "second"):
    with Loader(folder / "warehouse.duckdb", RunFacts(name, now, "land", now, 120, 2, 500)) as loader:
        assert load_landed(loader, folder / "landing", now=now).updates == (name == "first")
        loader.load(webhook(loader))
print(*{"pandas", "sqlalchemy", "requests"} & set(sys.modules))

import pandas
import pyarrow
assert pyarrow.table({"a": [1]}).to_pandas()["a"].tolist() == [1]
assert pyarrow.array(pandas.Series([1.0, float("nan")])).null_count == 1
"""


def test_a_load_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """Each of these takes longer to import than a small load takes; pyarrow still turns tables into pandas'."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "one.json").write_text('{"started": [{"transactionId": 1}]}')
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", LOAD, str(tmp_path)], check=True, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert done.stdout.split() == []
