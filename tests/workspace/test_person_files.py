"""What a person asks to be written goes through nobody else's link, and over nobody else's file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.model.errors import Denied
from infra.workspace import person_files
from tests.neighbour import NEIGHBOUR, needs_root

TEXTS = {"staging/app/compose.yaml": "ours", "staging/app/env": "too"}


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder where anybody can write, and beside it one whose file must stay as it is."""
    place = Path(tempfile.mkdtemp(prefix="shared-"))
    place.chmod(0o755)
    (place / "kept/app").mkdir(parents=True)
    for file in (place / "kept/compose.yaml", place / "kept/app/compose.yaml"):
        file.write_text("kept", encoding="utf-8")
    (place / "shared").mkdir()
    (place / "shared").chmod(0o777)
    yield place / "shared"
    kept = {file.read_text(encoding="utf-8") for file in (place / "kept").rglob("compose.yaml")}
    assert kept == {"kept"}, "written through a link"
    shutil.rmtree(place)


def theirs(path: Path) -> Path:
    os.chown(path, NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    return path


def link(path: Path, to: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)
    return theirs(path)


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return theirs(path)


def file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("theirs", encoding="utf-8")
    return theirs(path)


FOUND: dict[str, Callable[[Path], Path]] = {
    "a link in the folder's place": lambda out: link(out, "../kept"),
    "a link on the way": lambda out: link(out / "staging", "../../kept"),
    "a link to nowhere": lambda out: link(out / "staging", "../../kept/none"),
    "a link in the file's place": lambda out: link(out / "staging/app/env", "../../../../kept/compose.yaml"),
    "a folder": lambda out: folder(out / "staging"),
    "the folder itself": folder,
    "a file": lambda out: file(out / "staging/app/compose.yaml"),
}


@needs_root
@pytest.mark.parametrize("found", FOUND)
def test_what_a_neighbour_has_put_there_is_named_and_nothing_is_written(shared: Path, found: str) -> None:
    path = FOUND[found](shared / "out")
    with pytest.raises(Denied) as refused:
        person_files.write_below(shared / "out", TEXTS)
    assert refused.value.message.startswith(f"{path} belongs to uid {NEIGHBOUR}")
    assert refused.value.next_step.startswith(f"look at it, then rm -r {path}, or ")


@needs_root
@pytest.mark.parametrize("make", [file, lambda path: link(path, "../kept/compose.yaml")])
def test_a_report_is_not_written_over_a_neighbours(shared: Path, make: Callable[[Path], Path]) -> None:
    path = make(shared / "report.json")
    with pytest.raises(Denied, match=f"{path} belongs to uid {NEIGHBOUR}"):
        person_files.write(path, "ours")


@needs_root
def test_a_report_lies_in_anybodys_folder_under_a_name_that_is_free(shared: Path) -> None:
    theirs(shared)
    person_files.write(shared / "report.json", "ours")
    assert (shared / "report.json").stat().st_uid == os.getuid()


def test_a_link_of_our_own_leads_on_and_is_replaced_at_the_end(shared: Path) -> None:
    (shared / "real").mkdir()
    (shared / "out").symlink_to("./none/../real")
    (shared / "none").mkdir()
    (shared / "real/staging/app").mkdir(parents=True)
    (shared / "real/staging/app/env").symlink_to("../../../../kept/compose.yaml")
    for _ in range(2):
        person_files.write_below(shared / "out", TEXTS)
        found = {name: (shared / "real" / name).read_text(encoding="utf-8") for name in TEXTS}
        assert found == TEXTS
    assert not (shared / "real/staging/app/env").is_symlink()
    assert {path.stat().st_mode & 0o777 for path in shared.rglob("*.yaml")} == {0o644}
    assert not list(shared.rglob(".*")), "nothing half-written is left"


def test_a_folder_that_is_swapped_after_the_look_is_not_written_through(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shared / "out").mkdir()
    (shared / "out/staging").symlink_to("../../kept")
    monkeypatch.setattr(person_files, "_target", lambda _place, _path: None)
    with pytest.raises(OSError, match="staging"):
        person_files.write_below(shared / "out", TEXTS)


def test_links_in_a_circle_are_refused(shared: Path) -> None:
    (shared / "out").symlink_to("out")
    with pytest.raises(Denied, match="too many links"):
        person_files.write_below(shared / "out", TEXTS)
