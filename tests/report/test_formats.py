from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.report.formats import FORMATS, check_folder, find_writer, write_file
from gradcheck.report.screens import Spacing

from .samples import failing, passing


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_has_a_writer_and_no_color(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    written = find_writer(kind)([passing(), failing()])

    assert "stale-counter" in written
    assert "\x1b" not in written


def test_the_table_ends_with_a_newline() -> None:
    assert find_writer("table")([passing()]).endswith("\n")


def test_write_file_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")
    write_file(str(path), "new é\udcff\n")

    assert path.read_text(encoding="utf-8") == "new é\\udcff\n"
    assert os.listdir(tmp_path) == ["report.txt"]


def test_write_file_has_the_usual_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    before = os.umask(0o027)
    try:
        write_file(str(path), "x")
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_write_file_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_file(str(tmp_path / "link.txt"), "new")

    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_write_file_does_not_replace_a_device() -> None:
    write_file(os.devnull, "x")

    assert not Path(os.devnull).is_file()


def test_a_full_disk_is_an_error_that_says_so() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(UsageError, match=r"^cannot write '/dev/full': No space left on device$"):
        write_file("/dev/full", "x" * 100_000)


def test_a_missing_folder(tmp_path: Path) -> None:
    path = str(tmp_path / "none" / "report.txt")
    with pytest.raises(UsageError) as caught:
        check_folder(path)

    assert str(caught.value) == (
        f"cannot write {path!r}: there is no folder {str(tmp_path / 'none')!r}\n  = help: make it first"
    )
    with pytest.raises(UsageError, match="No such file or directory"):
        write_file(path, "x")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is a folder"):
        check_folder(str(tmp_path))


def test_spacing() -> None:
    spacing = Spacing()
    screens = ["one", "two\nlines", "a\n\nblock", "one", "a\n\nblock", "a\n\nblock"]

    assert [spacing.space(screen)[:1] == "\n" for screen in screens] == [False, False, True, True, True, True]
