"""Files of a box: what goes in, what comes out, and what never takes another's place."""

import os
from pathlib import Path

import pytest
from bioskills_boxes import Open, back, said

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_files_go_in_and_changed_ones_come_out(open_: Open, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a b é.txt").write_text("given")
    (tmp_path / "p1.ipynb").write_text("{}")
    kernel = open_()
    assert said(kernel, "print(open('data/a b é.txt').read(), end='')") == "given"
    said(kernel, "open('made.csv', 'w').write('x' * 5); open('p1.ipynb', 'w').write('forged')")
    left, files = back(kernel, tmp_path / "out")

    assert (left, files["made.csv"], files["data/a b é.txt"]) == (0, 5, 5)
    assert (tmp_path / "p1.ipynb").read_text() == "{}"


def test_a_notebook_in_the_box_never_takes_the_place_of_one_outside(
    open_: Open, tmp_path: Path
) -> None:
    (tmp_path / "p1.ipynb").write_text("{}")
    kernel = open_()
    said(kernel, "open('p1.ipynb', 'w').write('forged')")
    kernel.files_into(tmp_path)

    assert (tmp_path / "p1.ipynb").read_text() == "{}"


def test_no_file_takes_the_place_of_what_is_kept_or_graded_next(
    open_: Open, tmp_path: Path
) -> None:
    (tmp_path / "timestamp.txt").write_text("in time")
    kernel = open_()
    said(kernel, "import os; os.mkdir('p2.ipynb'); open('p2.ipynb/x', 'w').close()")
    said(kernel, "open('timestamp.txt', 'w').write('earlier'); open('own.ipynb', 'w').close()")
    kernel.files_into(tmp_path, {"timestamp.txt", "p2.ipynb"})

    assert {path.name for path in tmp_path.iterdir()} == {"timestamp.txt", "own.ipynb"}
    assert (tmp_path / "timestamp.txt").read_text() == "in time"


@pytest.mark.parametrize(("more", "gone"), [("pass", True), ("os.symlink('/etc', 'etc')", False)])
def test_what_a_cell_removed_goes_unless_something_stayed_behind(
    open_: Open, tmp_path: Path, more: str, gone: bool
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "data.csv").write_text("given")
    kernel = open_()
    said(kernel, f"import os; os.remove('old/data.csv'); os.rmdir('old')\n{more}")
    kernel.files_into(tmp_path)

    assert (tmp_path / "old").exists() is not gone


def test_links_fifos_and_sockets_stay_behind(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = """
import os, socket
os.symlink('/etc/passwd', 'link'); os.symlink('/', 'folder'); os.mkfifo('fifo')
socket.socket(socket.AF_UNIX).bind('socket')
open('plain', 'w').write('x')
os.link('plain', 'second'); os.mkdir('d'); os.symlink('..', 'd/up')
try: os.mknod('device', 0o600 | 0o020000, os.makedev(1, 3)); print('made')
except OSError: print('refused')
"""
    assert said(kernel, code) == "refused\n"
    left, files = back(kernel, tmp_path / "out")

    assert (left, files) == (5, {"plain": 1, "second": 1})


def test_too_large_and_too_many_files_stay_behind(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = """
open('huge', 'wb').write(b'x' * 40_000_000)
with open('sparse', 'wb') as file: file.truncate(60_000_000)
for number in range(2100): open(f'zz{number:05}', 'w').close()
"""
    assert said(kernel, code) == ""
    left, files = back(kernel, tmp_path / "out")

    assert len(files) == 2000
    assert not {"huge", "sparse"} & set(files)
    assert left == 2 + 100


def test_odd_names_write_nowhere_else(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = r"""
for name in (b'..x', b'-rf', b'a\\b', b'new\nline', b'\xff\xfe', b'x' * 255, b'~', b'c:x'):
    open(name, 'w').close()
"""
    assert said(kernel, code) == ""
    before = sorted(os.listdir(tmp_path))
    left, files = back(kernel, tmp_path / "out")

    assert sorted(os.listdir(tmp_path)) == [*before, "out"]
    assert left + len(files) <= 8
    assert "..x" in files


def test_a_folder_without_end_does_not_stop_the_reader(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = """
import os
for _ in range(400):
    os.mkdir('d' * 100); os.chdir('d' * 100)
os.chdir('/box/work'); open('kept', 'w').close()
"""
    said(kernel, code)
    out = tmp_path / "out"
    out.mkdir()
    try:
        kernel.files_into(out)
    finally:
        kernel.close()
    assert list(tmp_path.iterdir()) == [out]
