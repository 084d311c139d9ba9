"""A tap of the Singer SDK into target-duckdb."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb

url, page, count, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
(out / "tap.json").write_text(json.dumps({"url": url, "page": page}))
(out / "target.json").write_text(
    json.dumps({"path": str(out / "singer.duckdb"), "default_target_schema": "peer", "batch_size_rows": 100_000})
)
tap = [sys.executable, str(Path(__file__).with_name("singer_tap.py")), "--config", str(out / "tap.json")]
target = [str(Path(sys.executable).with_name("target-duckdb")), "--config", str(out / "target.json")]
with subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tapping:
    subprocess.run(target, stdin=tapping.stdout, stdout=subprocess.DEVNULL, check=True)
assert tapping.returncode == 0
with duckdb.connect(str(out / "singer.duckdb")) as connection:
    assert connection.execute("select count(*) from peer.records").fetchall() == [(count,)]
