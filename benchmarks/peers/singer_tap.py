"""A tap of the API, as the Singer SDK's template makes one."""

from collections.abc import Sequence
from typing import Any

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BaseOffsetPaginator
from singer_sdk.streams import RESTStream

TEXTS = [
    "firstName",
    "lastName",
    "email",
    "memberIdentifier",
    "activityId",
    "activityTitle",
    "registration",
    "dateStarted",
    "dateCompleted",
    "completionCode",
]


class Pages(BaseOffsetPaginator):  # type: ignore[misc]
    """Offsets until the count is reached."""

    def has_more(self, response: Any) -> bool:
        """Say whether a further page is there."""
        return bool(self.current_value + self._page_size < response.json()["count"])


class Records(RESTStream):  # type: ignore[misc]
    """The records."""

    name = "records"
    path = ""
    primary_keys = ("transactionId",)
    records_jsonpath = "$.rows[*]"
    schema = th.PropertiesList(
        th.Property("transactionId", th.IntegerType, required=True),
        th.Property("progress", th.IntegerType),
        *(th.Property(name, th.StringType) for name in TEXTS),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """The endpoint."""
        return str(self.config["url"])

    def get_new_paginator(self) -> Pages:
        """Page by offset."""
        return Pages(start_value=0, page_size=self.config["page"])

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, int]:  # noqa: ARG002 - the SDK's own signature
        """Ask for a page."""
        return {"start": next_page_token or 0, "number": self.config["page"]}


class TapRecords(Tap):  # type: ignore[misc]
    """The tap."""

    name = "tap-records"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True), th.Property("page", th.IntegerType, required=True)
    ).to_dict()

    def discover_streams(self) -> Sequence[Records]:
        """Give the one stream."""
        return [Records(self)]


if __name__ == "__main__":
    TapRecords.cli()
