"""The reasoning of a verdict in plain sentences, each of which the rows beside it bear out. Rules: docs/verdicts.md."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Sections: TypeAlias = Mapping[str, Sequence[Row]]

WEBHOOK, API = ("missing_webhook", "behind_webhook"), ("missing_api", "behind_api")


def reasons_of_gap(sections: Sections) -> tuple[str, ...]:
    """Say why a gap is what it is called.

    Args:
        sections: The rows behind it, by section: `gap` and `verdict` one row each, the others any number.
    """
    (gap,) = sections["gap"]
    return (*_told(gap, sections), *_timed(gap), _caused(gap, sections), *_ended(gap, sections))


def reasons_of_span(sections: Sections) -> tuple[str, ...]:
    """Say how far a span is proven, and what is known to be amiss in it."""
    days = sections["days"]
    unproven = [str(day["day_utc"]) for day in days if not day["is_proven_complete"]]
    windows = [window for window in sections["windows"] if window["is_complete"]]
    unresolved = [gap["gap_id"] for gap in sections["gaps"] if gap["status"] in {"open", "suspected"}]
    refused = sum(each["refusal_count"] for each in sections["refusals"])
    proven = (
        f"{len(days) - len(unproven)} of {len(days)} days are proven complete, by {_many(len(windows), 'window')} of "
        f"{_many(len(sections['calls']), 'call')}."
    )
    delivered = (
        f"The webhook made {_many(len(sections['deliveries']), 'delivery', 'deliveries')}; our receiver refused "
        f"{_many(refused, 'request')}; {_many(len(sections['rejects']), 'thing')} could not be read as a record."
    )
    disagreed = (
        f"The witnesses disagreed about {_many(len(sections['gaps']), 'change')}, {len(unresolved)} of them not "
        f"resolved, and the webhook had {_many(len(sections['outages']), 'outage')}."
    )
    named = (f"Not proven: {', '.join(unproven[:10])}.",) if unproven else ()
    return (proven, *named, delivered, disagreed)


def _told(gap: Row, sections: Sections) -> Iterator[str]:
    name = f"transaction {gap['transaction_id']} of registration {gap['registration_id']} (kind {gap['update_kind']})"
    by = {"api": 0, "webhook": 0}
    for telling in sections["tellings"]:
        by[telling["witness"]] += 1
    if gap["kind"] in WEBHOOK:
        yield f"The API told {name}, at {_at(gap['first_seen_at'])} (call {gap['told_by_call_id']})."
    elif gap["kind"] in API:
        yield f"The webhook told {name}, at {_at(gap['first_seen_at'])} (delivery {gap['delivery_id']})."
    else:
        yield f"Both witnesses told {name}; both had by {_at(gap['first_seen_at'])}."
    yield f"In all, the API told {_many(by['api'], 'version')} of it and the webhook {_many(by['webhook'], 'update')}."


def _timed(gap: Row) -> Iterator[str]:
    if gap["kind"] != "field_mismatch":
        before, after = gap["changed_before"], gap["changed_after"]
        when = f"at {_at(before)}" if before == after else f"between {_at(after)} and {_at(before)}"
        yield f"The change was {when}, as far as anything tells."
    yield f"Both witnesses were given until {_at(gap['due_at'])}."
    if gap["opened_at"] is None:
        yield "No run has stood past that with what it needs to judge, so it is suspected and nothing more."
    else:
        yield f"The run at {_at(gap['opened_at'])} was the first that could judge, and opened it."


def _caused(gap: Row, sections: Sections) -> str:
    cause = str(gap["cause"])
    refused = sum(each["refusal_count"] for each in sections["refusals"])
    sentences = {
        "vendor_contradicts_itself": "The two tell of one state with different values: "
        f"{gap['differing_values'] or 'one transaction under two registrations'}.",
        "rejected_as_unreadable": f"{_many(len(sections['rejects']), 'thing')} that could not be read as a record "
        "names the registration.",
        "late": f"The webhook told it after all, at {_at(gap['late_told_at'])}: later than it was given.",
        "receiver_refusing": f"Our own receiver refused {_many(refused, 'request')} at that time, by its journal.",
        "never_covered": "No window proven complete has asked for the date that the vendor may file it under.",
        "withheld": f"{_many(_asked(gap, sections), 'proven window')} asked for it after it was told, and did not "
        "show it.",
        "lost": f"{_alive(sections)} Our receiver refused {_many(refused, 'request')} at that time, and nothing "
        "unreadable names the registration: the push was lost by itself.",
    }
    if cause == "outage":
        (outage,) = sections["outage"]
        until = _at(outage["ended_at"]) if outage["ended_at"] else "now"
        return (
            f"It lies in a silence of the webhook from {_at(outage['started_at'])} to {until}, in which the API showed "
            f"{_many(outage['updates_lost'], 'change')} and the webhook told none in time."
        )
    return sentences.get(cause, f"The cause is {cause}.")


def _alive(sections: Sections) -> str:
    roles = {each["role"]: each for each in sections["deliveries"]}
    parts = [
        f"{role} was at {_at(roles[role]['received_at'])}"
        for role in ("the last before", "the first after")
        if role in roles
    ]
    return f"The webhook delivered around it ({'; '.join(parts)})." if parts else "No delivery stands around it."


def _asked(gap: Row, sections: Sections) -> int:
    return sum(
        bool(each["is_complete"])
        and each["attempted_at"] >= gap["first_seen_at"]
        and (gap["told_by_call_id"] is None or each["last_call_id"] < gap["told_by_call_id"])
        for each in sections["windows"]
    )


def _ended(gap: Row, sections: Sections) -> Iterator[str]:
    if gap["status"] == "repaired" and gap["kind"] in WEBHOOK:
        yield f"The copy has it: call {gap['told_by_call_id']} brought it. The failure stays on record."
    elif gap["status"] == "repaired":
        by = f" by call {gap['told_by_call_id']}" if gap["told_by_call_id"] is not None else ""
        yield f"It was closed at {_at(gap['closed_at'])}{by}. The failure stays on record."
    elif gap["status"] == "accepted":
        for each in sections["acceptances"]:
            yield f"{each['accepted_by']} accepted it at {_at(each['accepted_at'])}: {each['why']}"
    elif gap["repair_attempt_count"]:
        tries = _many(gap["repair_attempt_count"], "repair")
        yield f"{tries} did not bring it; the next is due at {_at(gap['next_repair_at'])}."


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


def _at(instant: Any) -> str:
    return "an instant that nothing tells" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"
