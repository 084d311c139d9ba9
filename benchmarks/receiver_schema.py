"""schemathesis against the receiver's own OpenAPI document: every check, every answer within a second.

schemathesis is no dependency; it is run from an environment of its own.

    python3 -m venv /tmp/schemathesis && /tmp/schemathesis/bin/pip install schemathesis
    .venv/bin/python -m benchmarks.receiver_schema /tmp/schemathesis/bin/schemathesis --examples 300
"""

import argparse
import subprocess
from pathlib import Path

from benchmarks.receiver_rig import TOKEN, TOKEN_NAME, make_rig, read_ids

DOCUMENT = Path(__file__).parent.parent / "docs" / "receiver-openapi.yaml"


def main() -> None:
    """Run schemathesis with a good token in the header."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schemathesis", type=Path)
    parser.add_argument("--examples", type=int, default=300)
    told = parser.parse_args()
    with make_rig() as rig:
        with rig.receiver() as running:
            command = [
                *(told.schemathesis, "run", DOCUMENT),
                *("--url", f"https://localhost:{running.port}", "--tls-verify", rig.authority),
                *("--header", f"{TOKEN_NAME}: {TOKEN}", "--checks", "all", "--max-response-time", "1"),
                *("--max-examples", str(told.examples), "--continue-on-failure", "--seed", "1", "--warnings", "off"),
            ]
            ending = subprocess.run(command, cwd=rig.folder, check=False).returncode
            running.process.terminate()
            assert running.process.wait(10) == 0
        print(f"{len(read_ids(rig.landing))} deliveries landed; schemathesis ended with {ending}")
    assert ending == 0


if __name__ == "__main__":
    main()
