"""The bodies of pushes: a bundle by kind as of today, or one flat record with a token as in 2017."""

from collections.abc import Sequence

from progress_pipeline.sandbox.chance import Flags
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.rendering import Renderer, other_values
from progress_pipeline.sandbox.world import COMPLETION, PROGRESSED, STARTED, World

LISTS = {STARTED: b"started", PROGRESSED: b"progressed", COMPLETION: b"completions"}


class Payloads:
    """Writes the bodies of pushes.

    Args:
        world: Whose updates.
        config: Their shape.
        renderer: Writes one record.
        token: Stands in a flat record.
    """

    def __init__(self, world: World, config: SandboxConfig, renderer: Renderer, token: str) -> None:
        self._world, self._config, self._renderer, self._token = world, config, renderer, token

    def body(self, rows: Sequence[int], differs: Flags, *, is_garbled: bool = False) -> bytes:
        """Write one delivery's body.

        Args:
            rows: The updates in it.
            differs: Of each update of the world, whether the push tells another value than the API.
            is_garbled: Whether the body stops in the middle.
        """
        texts = self._renderer.write(rows, other_values(rows, differs, self._config))
        whole = self._flat(texts[0]) if self._config.push_shape == "flat" else self._bundle(rows, texts)
        return whole[: len(whole) * 2 // 3] if is_garbled else whole

    def _flat(self, text: bytes) -> bytes:
        return b'{"token":"' + self._token.encode() + b'",' + text[1:]

    def _bundle(self, rows: Sequence[int], texts: Sequence[bytes]) -> bytes:
        lists: dict[bytes, list[bytes]] = {name: [] for name in LISTS.values()}
        for row, text in zip(rows, texts, strict=True):
            lists[LISTS[int(self._world.kind[row])]].append(text)
        named = [
            b'"' + name + b'":[' + b",".join(members) + b"]"
            for name, members in lists.items()
            if members or self._config.push_empty_lists
        ]
        return b"{" + b",".join(named) + b"}"
