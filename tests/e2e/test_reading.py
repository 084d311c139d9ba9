"""An analyst asks the published file all through a run, in a process of its own."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.forking import run
from tests.e2e.plain_vendor import Switches
from tests.e2e.playing import environment

READER = """
import json, pathlib, sys
import duckdb
published, told_to_end = sys.argv[1], pathlib.Path(sys.argv[2])
answers, reads, is_last = [], 0, False
while not is_last:
    is_last = told_to_end.exists()
    connection = duckdb.connect(published, read_only=True)
    as_of = connection.execute("select text from readme where topic = 'as_of'").fetchone()[0]
    count = connection.execute("select count(*) from marts.fct_progress").fetchone()[0]
    by_activity = connection.execute("select sum(registration_count) from marts.agg_activities").fetchone()[0]
    connection.close()
    reads += 1
    if [as_of, count, int(by_activity)] not in answers:
        answers.append([as_of, count, int(by_activity)])
    print("read", flush=True) if reads == 1 else None
print(json.dumps({"answers": answers, "reads": reads}))
"""


def test_a_reader_meets_no_error_and_each_answer_is_of_one_version(serve: Serve, data: Path, tmp_path: Path) -> None:
    """It sees the old file until the new one stands, then the new one, and never a mixture of both."""
    vendor = serve(Switches(registrations=40, days=3))
    env = environment(data, vendor.url)
    days = [vendor.switches.start + timedelta(days=number) for number in (2, 3)]
    vendor.move_to(days[0])
    assert run("run", "--as-of", days[0].isoformat(), env=env).exit_code == 0
    ending = tmp_path / "end"
    arguments = [sys.executable, "-c", READER, str(data / "published" / "progress.duckdb"), str(ending)]
    with subprocess.Popen(  # noqa: S603 - our own text
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "read\n", reader.communicate()
        vendor.move_to(days[1])
        assert run("run", "--as-of", days[1].isoformat(), env=env).exit_code == 0
        ending.touch()
        output, errors = reader.communicate(timeout=60)
    assert (reader.returncode, errors) == (0, "")
    seen = json.loads(output)
    assert [as_of for as_of, _, _ in seen["answers"]] == [f"{day:%Y-%m-%d %H:%M:%S} UTC" for day in days]
    assert all(count == by_activity for _, count, by_activity in seen["answers"])
    assert seen["answers"][0][1] < seen["answers"][1][1]
    assert seen["reads"] > 10
