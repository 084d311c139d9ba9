"""Bodies that nobody should send, and that are stored byte for byte, and judged later, all the same."""

import gzip

HOSTILE = {
    "nothing": b"",
    "a bundle": b'{"started": [], "progressed": [], "completions": []}',
    "unknown keys": b'{"started": [], "new": {"a": [1, 2]}}',
    "a flat record": b'{"transactionId": "9987", "progress": 0}',
    "cut JSON": b'{"started": [{"transactionId": 1, ',
    "NaN": b'{"progressed": [{"progress": NaN}]}',
    "duplicate keys": b'{"started": [], "started": [1]}',
    "deep nesting": b"[" * 200_000,
    "bad UTF-8": b'{"firstName": "\xff\xfe"}',
    "a lone surrogate": b'{"firstName": "\xed\xa0\x80"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "gzip": gzip.compress(b"{}"),
    "newlines": b"{\r\n}\n\n",
    "zeros": bytes(10_000),
    "every byte": bytes(range(256)),
    "a line of our own": b'{"delivery_id":"x","received_at":"2026-01-01T00:00:00Z","byte_count":0,"body":""}\n',
}
