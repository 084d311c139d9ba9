"""A daily run without its last step: nothing is published. It prints what `run --json --profile` prints.

    python -m benchmarks.unpublished_run 2026-11-23T05:00:00Z

Publishing writes the whole file anew, so where a history is long it takes longer than all else, and more memory.
"""

import sys
from dataclasses import asdict

from progress_pipeline.cli.running import starting
from progress_pipeline.cli.terminal import print_json
from progress_pipeline.settings import load_settings


def main() -> int:
    """Run, and say where the time went; gives the exit code."""
    settings = load_settings()
    with starting():
        from progress_pipeline.orchestration.history import open_history  # noqa: PLC0415 - as the command does
        from progress_pipeline.orchestration.profiling import profile  # noqa: PLC0415 - as the command does
        from progress_pipeline.orchestration.publishing import PUBLISHED  # noqa: PLC0415 - as the command does
        from progress_pipeline.orchestration.running import run_job  # noqa: PLC0415 - as the command does
    with open_history(settings) as history:
        ended = run_job("daily", history, as_of=sys.argv[1], without={PUBLISHED})
        print_json({**vars(ended), "profile": [asdict(each) for each in profile(history, ended, settings)]})
    return ended.exit_code


if __name__ == "__main__":
    sys.exit(main())
