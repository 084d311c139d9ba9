"""The receiver's bounds: on size, on time, on what it holds at once.

They are the same everywhere, so they are constants with a reason and no settings; a test makes them smaller.
"""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Limits:
    """What one receiver allows.

    Attributes:
        body_bytes: Largest body; a larger one is 413.
        head_bytes: Largest request line with headers; a larger one is 431.
        framing_bytes: Largest sum of what frames a body in chunks: sizes, extensions, trailers; beyond, 400.
        requests_ahead: Most requests that a client may send before the first of them is answered; beyond, 400.
        handshake_seconds: Time for a TLS handshake.
        head_seconds: Time from a connection or a request's first byte until its headers are there.
        request_seconds: Time from a request's first byte until its body is there.
        idle_seconds: Time that a connection may wait for its next request.
        stall_seconds: Time that a group may take to be durable; then what waits is answered 503.
        answer_seconds: Time that a client may take to accept its answer.
        connections: Connections at once; beyond, the one that has waited longest is cut off.
        queue_count: Deliveries waiting to be durable; beyond, 503 with Retry-After.
        queue_bytes: Bytes of deliveries waiting to be durable; the same.
        held_bytes: Bytes of large bodies that are coming in or being prepared; the same.
        group_bytes: Bytes that are written and synced at once.
        seal_bytes: Size at which a segment is sealed.
        seal_seconds: Age at which a segment is sealed.
        journal_seconds: How often the journal of refusals is written, if there is anything new.
        keeper_seconds: How often what could not be sealed is tried again, and the certificate looked at.
        stop_seconds: Time for requests under way when the receiver is told to end.
    """

    body_bytes: int = 16 * MIB
    head_bytes: int = 32 * KIB
    framing_bytes: int = 4 * MIB
    requests_ahead: int = 16
    handshake_seconds: float = 5.0
    head_seconds: float = 5.0
    request_seconds: float = 10.0
    idle_seconds: float = 75.0
    stall_seconds: float = 5.0
    answer_seconds: float = 20.0
    connections: int = 1024
    queue_count: int = 10_000
    queue_bytes: int = 64 * MIB
    held_bytes: int = 128 * MIB
    group_bytes: int = 8 * MIB
    seal_bytes: int = 16 * MIB
    seal_seconds: float = 5.0
    journal_seconds: float = 60.0
    keeper_seconds: float = 0.5
    stop_seconds: float = 3.0
