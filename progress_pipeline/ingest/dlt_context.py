"""What dlt runs in: no setting is looked up anywhere, and nothing is sent to anyone.

dlt would look for each of its settings in the environment and in two files of whatever folder a run is started from,
some thousand times a load. A load must go the same way wherever it is started, so all settings of ours stand here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.runtime.run_context import RunContext, switched_run_context


class _ClosedContext(RunContext):
    """A run context without any provider of settings."""

    def initial_providers(self) -> list[ConfigProvider]:
        """Give none."""
        return []


@contextmanager
def closed_context(folder: str) -> Iterator[None]:
    """Let dlt run in a folder of its own, with our settings alone."""
    context = _ClosedContext(folder)
    with switched_run_context(context):
        context.initialize_runtime(RuntimeConfiguration(dlthub_telemetry=False, log_level="ERROR"))
        yield
