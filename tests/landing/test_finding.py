"""What is new in the landing folder is found by its identity, and what is nobody's delivery is passed over."""

import os
import subprocess
import sys
from pathlib import Path

from tests.landing.conftest import found

LONG_AGO = (1_600_000_000, 1_600_000_000)


def test_a_folder_that_does_not_exist_holds_nothing(tmp_path: Path) -> None:
    """Before the first delivery there is no folder, and that is no error."""
    assert found(tmp_path / "nowhere") == []


def test_a_very_deep_folder_is_found(landing: Path) -> None:
    """Depth costs no recursion."""
    deep = landing.joinpath(*["d"] * 1_200)
    folder = landing
    for _ in range(1_200):
        folder = folder / "d"
        folder.mkdir()
    (deep / "x.json").write_bytes(b"{}")
    try:
        assert [file.byte_count for file in found(landing)] == [2]
    finally:
        (deep / "x.json").unlink()
        while folder != landing:  # left standing, it is too deep for what clears temporary folders away
            folder.rmdir()
            folder = folder.parent


def test_other_names_are_nobodys_delivery(landing: Path) -> None:
    """Dot files, dot folders, temporary names and other kinds are passed over."""
    (landing / ".open").mkdir()
    for name in (".x.json", ".open/x.ndjson", "x.json.tmp", "x.json.part", "x.txt", "json", "x.json~"):
        (landing / name).write_bytes(b"{}")
    assert found(landing) == []


def test_a_known_file_is_not_found_again(landing: Path) -> None:
    """Unchanged, it is not even opened; touched or made anew with the same content, its identity is known."""
    path = landing / "x.json"
    path.write_bytes(b"{}")
    known = found(landing)
    assert found(landing, *known) == []
    path.touch()
    assert found(landing, *known) == []
    path.unlink()
    path.write_bytes(b"{}")
    assert found(landing, *known) == []


def test_other_content_is_found_although_size_and_modification_time_are_the_same(landing: Path) -> None:
    """A modification time can be set at will; the change time cannot."""
    path = landing / "x.json"
    path.write_bytes(b"[1]")
    os.utime(path, LONG_AGO)
    first = found(landing)
    path.write_bytes(b"[2]")
    os.utime(path, LONG_AGO)
    second = found(landing, *first)
    assert len(second) == 1
    assert second[0].file_id != first[0].file_id


def test_content_that_returns_is_not_found_again(landing: Path) -> None:
    """One, then two, then one again at the same path: the third was read already."""
    path = landing / "x.json"
    path.write_bytes(b"[1]")
    first = found(landing)
    path.write_bytes(b"[2]")
    second = found(landing, *first)
    path.write_bytes(b"[1]")
    assert found(landing, *first, *second) == []


def test_a_file_that_appears_late_with_an_old_time_is_found(landing: Path) -> None:
    """No cursor over times can be behind it."""
    (landing / "new.json").write_bytes(b"{}")
    known = found(landing)
    (landing / "late.json").write_bytes(b"{}")
    os.utime(landing / "late.json", LONG_AGO)
    assert [file.file for file in found(landing, *known)] == ["late.json"]


def test_a_folder_that_may_be_listed_but_not_searched_is_named_and_stops_nothing(landing: Path) -> None:
    """Its names can be seen, but nothing about what they name; a superuser, who may all, becomes somebody else here."""
    (landing / "listed").mkdir()
    (landing / "listed" / "x.json").write_bytes(b"{}")
    (landing / "y.json").write_bytes(b"{}")
    (landing / "listed").chmod(0o444)
    landing.chmod(0o755)
    code = (
        "import os; from pathlib import Path; from progress_pipeline.landing.walking import walk; "
        "os.getuid() or os.setuid(65534); print([(sight.path, sight.problem) for sight in walk(Path())])"
    )
    try:
        told = subprocess.run([sys.executable, "-c", code], cwd=landing, capture_output=True, text=True, check=True)  # noqa: S603 (our own code)
    finally:
        (landing / "listed").chmod(0o755)
    assert told.stdout == "[('y.json', None), ('listed/', 'cannot be searched: Permission denied')]\n"
