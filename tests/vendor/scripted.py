"""A vendor that answers by a script, line by line, and the client that asks it."""

from datetime import timedelta
from typing import Any

import httpx

from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.exchange import Question
from progress_pipeline.vendor.ledger import CallLedger
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON

TOKEN = "f7e1379c-35ad-45f9-b0fa-6ef011e73938"
URL = "https://vendor.example/api/reports/progress"
QUESTION = Question(Window(NOON - timedelta(days=1), NOON), 10)
PAGE = b'{"count": 1, "rows": [{"transactionId": 1}]}'
BEYOND = "Fri, 31 Dec 9999 23:59:59 -2359"
"""A date that has no instant in UTC."""


class Script(httpx.BaseTransport):
    """Answers each request by the next line of a script, the last one for ever; an exception is raised.

    Args:
        lines: A response's parts, a response, or an exception.
    """

    def __init__(self, *lines: Any) -> None:
        self._lines = list(lines)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        self.requests.append(request)
        line = self._lines[min(len(self.requests), len(self._lines)) - 1]
        if isinstance(line, Exception):
            raise line
        if isinstance(line, httpx.Response):
            return line
        status, body, *headers = line
        return httpx.Response(status, content=body, headers=headers[0] if headers else None)


def scripted(ledger: CallLedger, *lines: Any, **others: Any) -> tuple[VendorClient, Script]:
    """Make a client whose vendor answers these lines."""
    script = Script(*lines)
    chosen: dict[str, Any] = {"transport": script, "clock": ledger.clock} | others
    return VendorClient(URL, TOKEN, ledger, **chosen), script
