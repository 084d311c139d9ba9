"""A year on a vendor that shares nothing with the sandbox, a run for each day.

.venv/bin/python -m benchmarks.year --how command --set transactions=per_update --set filter_on=started
.venv/bin/python -m benchmarks.year --how steps --set speech.http=1.0 --set speech.gzipped=true --set page_cap=50
.venv/bin/python -m benchmarks.year --how steps --days 60 --random 7

`--set` turns a switch of `tests.e2e.plain_vendor` or of its `speech`; `--random` turns many, by a seed. After every
`--compare-every` runs and after the last one the facts are held against the vendor's truth, field by field.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from progress_pipeline.settings import load_settings
from tests.e2e.forking import run
from tests.e2e.plain_speech import Speech
from tests.e2e.plain_vendor import TOKEN, Switches, Vendor
from tests.e2e.playing import Spoken, command, differences, environment
from tests.stepping import Stepper

KEPT = {"registrations", "start", "days", "speech", "landing", "lost_share", "silence", "seed", "daily_calls", "shows"}
"""What a random vendor does not turn."""

TURNED = {"page_cap": (None, 7, 50), "hours_ahead": (0, 0, 0, 2, -8), "content_type": ("application/json", "text/json")}
"""What a random vendor turns that is no choice among names."""

Play = Callable[[datetime], Spoken]


def main() -> None:
    """Play the year and say what came of it."""
    asked = _arguments()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="year-"))
    shutil.rmtree(folder, ignore_errors=True)
    switches = _switches(asked, folder / "data" / "landing" / "webhook" if asked.webhook else None)
    print(f"vendor {_told(switches)}", flush=True)
    codes: Counter[object] = Counter()
    differing = 0
    began = time.monotonic()
    with Vendor(switches) as vendor:
        play, facts = _player(asked.how, folder / "data", vendor, asked.start_date)
        days = range(asked.step_days, asked.days + asked.tail_days + 1, asked.step_days)
        for number, day in enumerate(days, start=1):
            now = switches.start + timedelta(days=day, hours=5)
            vendor.move_to(now)
            spoken = play(now)
            codes[spoken.exit_code] += 1
            if spoken.exit_code or asked.verbose:
                print(f"{now:%Y-%m-%d} exit {spoken.exit_code}\n{spoken.out}{spoken.err}", flush=True)
            if number % asked.compare_every == 0 or day == days[-1]:
                found = differences(facts, vendor)
                differing += len(found)
                print(f"{now:%Y-%m-%d} registrations {len(vendor.truth())}, differences {len(found)}", flush=True)
                for each in found[:5]:
                    print(f"  {each}")
        print(f"runs {sum(codes.values())} in {time.monotonic() - began:.0f} s, exit codes {dict(codes)}")
        print(f"updates {len(vendor.updates)}, completions {len(vendor.completions())}, pushes lost {vendor.lost}")
        most = max(vendor.calls.values())
        print(f"calls {sum(vendor.calls.values())}, most in a day {most}, refused {vendor.refused}, ", end="")
        print(f"malformed {vendor.malformed}; differences {differing}")
    shutil.rmtree(folder)
    assert differing == 0


def _player(how: str, data: Path, vendor: Vendor, start_date: str | None) -> tuple[Play, Path]:
    """Give what plays a day, and the file that holds the facts after it."""
    settings = {} if start_date is None else {"start_date": start_date}
    if how == "steps":
        stepper = Stepper(load_settings(api_url=vendor.url, api_token=TOKEN, data_dir=data, **settings))
        return lambda now: Spoken(
            0 if (told := stepper.run(now)) == "done" else 1, told, ""
        ), stepper.settings.warehouse_path
    env = environment(data, vendor.url, **settings)
    call = command if how == "command" else run
    return lambda now: call(
        "run", "--as-of", f"{now:%Y-%m-%dT%H:%M:%SZ}", env=env
    ), data / "published" / "progress.duckdb"


def _switches(asked: argparse.Namespace, landing: Path | None) -> Switches:
    """Give the vendor that was asked for."""
    switches = Switches(
        registrations=asked.registrations,
        days=asked.days,
        landing=landing,
        lost_share=0.03,
        silence=(asked.days * 0.27, asked.days * 0.27 + 1.5),
        seed=asked.seed,
    )
    if asked.random is not None:
        chance = random.Random(asked.random)  # noqa: S311 - the same each time
        speech = replace(switches.speech, **_turned(Speech, chance))
        switches = replace(switches, **_turned(Switches, chance), speech=speech)
    for assignment in asked.set:
        name, _, value = assignment.partition("=")
        of, _, switch = name.rpartition(".")
        if of == "speech":
            switches = replace(switches, speech=replace(switches.speech, **{switch: _read(Speech, switch, value)}))
        else:
            switches = replace(switches, **{switch: _read(Switches, switch, value)})
    return switches


def _turned(kind: type, chance: random.Random) -> dict[str, Any]:
    """Turn about every third switch."""
    hints = get_type_hints(kind)
    turned = {}
    for each in fields(kind):
        choices = TURNED.get(each.name, _choices(hints[each.name]))
        if each.name not in KEPT and choices and chance.random() < 0.35:
            turned[each.name] = chance.choice(list(choices))
    return turned


def _choices(hint: Any) -> Iterable[Any]:
    if hint is bool:
        return (False, True)
    return get_args(hint) if get_origin(hint) is Literal else ()


def _read(kind: type, name: str, text: str) -> Any:
    hint = get_type_hints(kind)[name]
    if hint is bool:
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _told(switches: Switches) -> str:
    default = Switches()
    turned = [
        f"{each.name}={getattr(switches, each.name)}"
        for each in fields(Switches)
        if _is_turned(each.name, switches, default)
    ]
    spoken = [
        f"speech.{each.name}={getattr(switches.speech, each.name)}"
        for each in fields(Speech)
        if _is_turned(each.name, switches.speech, default.speech)
    ]
    return " ".join(turned + spoken)


def _is_turned(name: str, one: object, other: object) -> bool:
    return name not in {"speech", "landing", "lost_share", "silence"} and getattr(one, name) != getattr(other, name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", choices=("command", "forked", "steps"), default="command", help="what a run is")
    parser.add_argument("--registrations", type=int, default=300)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--tail-days", type=int, default=0, help="days to go on after the last start")
    parser.add_argument("--step-days", type=int, default=1)
    parser.add_argument("--compare-every", type=int, default=30, help="runs between two comparisons")
    parser.add_argument("--start-date", help="PROGRESS_START_DATE; not set without it")
    parser.add_argument("--webhook", action="store_true", help="drop webhook bodies too, some lost, a day of silence")
    parser.add_argument("--set", action="append", default=[], metavar="SWITCH=VALUE")
    parser.add_argument("--random", type=int, help="turn switches by this seed")
    parser.add_argument("--seed", type=int, default=1, help="of what happens")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
