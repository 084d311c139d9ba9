"""schemathesis against the receiver's own OpenAPI document: every check, every answer within a second.

schemathesis is no dependency; unless one is named, it is installed into an environment that lasts as long as the trial.

    .venv/bin/python -m benchmarks.receiver_schema --examples 300
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.receiver_bounds import Bounds
from benchmarks.receiver_rig import TOKEN, TOKEN_NAME, make_rig, read_ids

DOCUMENT = Path(__file__).parent.parent / "docs" / "receiver-openapi.yaml"


def install(folder: Path) -> Path:
    """Install schemathesis into an environment of its own, and give its command."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "schemathesis"], check=True)
    return folder / "bin" / "schemathesis"


def main() -> None:
    """Run schemathesis with a good token in the header."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemathesis", type=Path)
    parser.add_argument("--examples", type=int, default=300)
    told = parser.parse_args()
    with make_rig() as rig:
        command_of = told.schemathesis or install(rig.folder / "schemathesis")
        with rig.receiver() as running:
            command = [
                *(command_of, "run", DOCUMENT),
                *("--url", f"https://localhost:{running.port}", "--tls-verify", rig.authority),
                *("--header", f"{TOKEN_NAME}: {TOKEN}", "--checks", "all", "--max-response-time", "1"),
                *("--max-examples", str(told.examples), "--continue-on-failure", "--seed", "1", "--warnings", "off"),
            ]
            ran = subprocess.run(command, cwd=rig.folder, check=False, capture_output=True, text=True)
            running.process.terminate()
            ending = running.process.wait(10)
        landed = len(read_ids(rig.landing))
    print(ran.stdout)
    cases = re.search(r"(\d+) generated", ran.stdout)
    bounds = Bounds(f"schemathesis, {told.examples} examples, every check, answers within 1 s")
    bounds.at_least("cases", int(cases[1]) if cases else 0, told.examples)
    bounds.at_least("deliveries landed", landed, 1)
    bounds.holds("schemathesis found nothing", ran.returncode == 0)
    bounds.holds("the receiver ended well", ending == 0)
    bounds.end()


if __name__ == "__main__":
    main()
