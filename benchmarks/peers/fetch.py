"""The limit, first half: every page fetched by httpx, and dropped."""

import sys

import httpx

url, page, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
size = 0
with httpx.Client(trust_env=False) as client:
    for start in range(0, count, page):
        size += len(client.post(url, json={"start": start, "number": page}).content)
assert size > 0
