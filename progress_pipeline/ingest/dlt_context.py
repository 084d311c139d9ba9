"""What dlt runs in: no setting is looked up anywhere, and nothing is sent to anyone.

dlt would look for each of its settings in the environment and in two files of whatever folder a run is started from,
some thousand times a load. A load must go the same way wherever it is started, so all settings of ours stand here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from dlt.common import logger
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.runtime.exec_info import dlt_version_info
from dlt.common.runtime.run_context import RunContext, switched_run_context


class _ClosedContext(RunContext):
    """A run context without any provider of settings."""

    def initial_providers(self) -> list[ConfigProvider]:
        """Give none."""
        return []

    def initialize_runtime(self, runtime_config: RuntimeConfiguration | None = None) -> None:
        """Take the settings and log by them; nothing is asked or sent, so dlt's client of the web stays out."""
        self._runtime_config = runtime_config or RuntimeConfiguration(dlthub_telemetry=False, log_level="ERROR")
        settings = self._runtime_config
        version = dlt_version_info(settings.pipeline_name or "")
        logger.LOGGER = logger._create_logger(  # noqa: SLF001 - as dlt's own context does it
            self.name, settings.log_level, settings.log_format, settings.pipeline_name or "", version
        )


@contextmanager
def closed_context(folder: str) -> Iterator[None]:
    """Let dlt run in a folder of its own, with our settings alone."""
    context, container = _ClosedContext(folder), Container()
    if PluggableRunContext in container:
        with switched_run_context(context):
            yield
        return
    # Nobody in this process used dlt before; to make its own context first would look for plugins and settings.
    container[PluggableRunContext] = PluggableRunContext(context)
    try:
        yield
    finally:
        del container[PluggableRunContext]
