"""`python -m progress_pipeline` is `progress-pipeline`."""

from progress_pipeline.cli.app import main

if __name__ == "__main__":
    main()
