"""What root imports can be changed by nobody else; real files, real owners, real links."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bioskills.fork_server.ownership import digest, foreign

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other owners")

STRANGER = 54321
SITE = "lib/python3.11/site-packages"
SECOND_FOR_40_000_FILES_S = 1.0


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """A folder of root's that nobody else can write."""
    return tmp_path


@pytest.fixture
def root(ground: Path) -> Path:
    """A small environment: an interpreter by link, a package, a mark."""
    root = ground / "environment"
    (root / SITE / "package").mkdir(parents=True)
    (root / SITE / "package" / "__init__.py").write_text("")
    (root / "bin").mkdir()
    (root / "bin" / "python").symlink_to("/usr/bin/python3")
    (root / "lib64").symlink_to("lib")
    (root / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    (root / ".complete").write_text("{}")
    return root


def found(root: Path) -> set[tuple[str, str]]:
    return {(fault.path.replace(f"{root.parent}/", ""), fault.code) for fault in foreign(root)}


def test_an_environment_of_root_alone_has_no_fault(root: Path) -> None:
    assert foreign(root) == []


INSIDE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a file of another": (
        lambda root: os.chown(root / SITE / "package/__init__.py", STRANGER, 0),
        f"environment/{SITE}/package/__init__.py",
        "owner",
    ),
    "a folder of another": (
        lambda root: os.chown(root / SITE / "package", STRANGER, 0),
        f"environment/{SITE}/package",
        "owner",
    ),
    "a file others may write": (
        lambda root: (root / SITE / "package/__init__.py").chmod(0o646),
        f"environment/{SITE}/package/__init__.py",
        "writable",
    ),
    "a folder the group may write": (
        lambda root: (root / SITE).chmod(0o775),
        f"environment/{SITE}",
        "writable",
    ),
    # Sticky keeps others from replacing a module, not from adding one.
    "a sticky folder others may write": (
        lambda root: (root / SITE).chmod(0o1777),
        f"environment/{SITE}",
        "writable",
    ),
    "the environment itself": (lambda root: root.chmod(0o777), "environment", "writable"),
    "a link of another": (
        lambda root: os.chown(root / "lib64", STRANGER, 0, follow_symlinks=False),
        "environment/lib64",
        "owner",
    ),
    "a pipe": (lambda root: os.mkfifo(root / "pipe", 0o600), "environment/pipe", "kind"),
}


@pytest.mark.parametrize("case", INSIDE)
def test_inside_an_environment_is_named(case: str, root: Path) -> None:
    spoil, path, code = INSIDE[case]
    spoil(root)

    assert found(root) == {(path, code)}


def test_every_fault_is_named_not_only_the_first(root: Path) -> None:
    os.chown(root / SITE / "package", STRANGER, STRANGER)
    (root / "bin").chmod(0o777)
    (root / ".complete").chmod(0o666)

    assert len(foreign(root)) == 3


def test_a_parent_that_another_owns_is_named(root: Path, ground: Path) -> None:
    os.chown(ground, STRANGER, 0)

    assert {(fault.path, fault.code) for fault in foreign(root)} == {(str(ground), "owner")}


def test_a_parent_that_others_may_write_is_named(root: Path, ground: Path) -> None:
    ground.chmod(0o777)

    assert {(fault.path, fault.code) for fault in foreign(root)} == {(str(ground), "writable")}


def test_a_sticky_parent_of_root_s_is_safe(root: Path, ground: Path) -> None:
    ground.chmod(0o1777)

    assert foreign(root) == []


def theirs(ground: Path) -> Path:
    """A stranger's folder beside the environment, with a module in it."""
    folder = ground / "theirs"
    folder.mkdir()
    (folder / "module.py").write_text("")
    for path in (folder, folder / "module.py"):
        os.chown(path, STRANGER, STRANGER)
    return folder


def test_a_link_to_a_stranger_s_file_is_named_with_all_that_is_his(
    root: Path, ground: Path
) -> None:
    (root / SITE / "module.py").symlink_to(theirs(ground) / "module.py")

    assert found(root) == {("theirs", "owner"), ("theirs/module.py", "owner")}


def test_a_link_to_a_folder_is_walked(root: Path, ground: Path) -> None:
    shared = ground / "shared"
    (shared / "deep").mkdir(parents=True)
    (shared / "deep" / "module.py").write_text("")
    (shared / "deep" / "module.py").chmod(0o666)
    (root / SITE / "shared").symlink_to("../../../../shared")

    assert found(root) == {("shared/deep/module.py", "writable")}


def test_a_link_by_way_of_a_stranger_s_folder_is_named(root: Path, ground: Path) -> None:
    # The end is root's, but the stranger can turn the way to it elsewhere.
    (theirs(ground) / "way").symlink_to(root / SITE)
    (root / "detour").symlink_to(ground / "theirs" / "way" / "package")

    assert found(root) == {("theirs", "owner")}


def test_a_path_file_that_leads_to_a_stranger_is_named(root: Path, ground: Path) -> None:
    theirs(ground)
    (root / SITE / "more.pth").write_text(f"# comment\nimport sys\n{ground}/theirs\n")

    assert found(root) == {("theirs", "owner"), ("theirs/module.py", "owner")}


def test_a_standard_library_of_a_stranger_is_named(root: Path, ground: Path) -> None:
    library = ground / "python" / "lib" / "python3.11"
    library.mkdir(parents=True)
    (library / "os.py").write_text("")
    os.chown(library / "os.py", STRANGER, 0)
    (root / "pyvenv.cfg").write_text(f"home = {ground}/python/bin\nversion_info = 3.11.9\n")

    assert found(root) == {("python/lib/python3.11/os.py", "owner")}


def test_an_environment_that_takes_the_system_s_packages_too_is_named(root: Path) -> None:
    with (root / "pyvenv.cfg").open("a") as file:
        file.write("include-system-site-packages = true\n")

    assert found(root) == {("environment/pyvenv.cfg", "outside")}


@pytest.mark.parametrize("target", ["circle", "deeper/circle"])
def test_links_in_a_circle_are_named_and_end(root: Path, target: str) -> None:
    (root / "deeper").mkdir()
    (root / "circle").symlink_to(root / target)
    (root / "deeper" / "circle").symlink_to(root / "circle")

    assert {code for _path, code in found(root)} == {"outside"}


def test_a_link_to_the_whole_machine_is_named_instead_of_walked(root: Path) -> None:
    (root / "everything").symlink_to("/")

    assert found(root) == {("environment/everything", "outside")}


def test_a_link_to_nowhere_is_no_fault(root: Path) -> None:
    (root / "nowhere").symlink_to("gone/away")

    assert foreign(root) == []


def test_a_socket_is_named(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "s"))
        (root / "s").chmod(0o600)

        assert found(root) == {("environment/s", "kind")}


def test_an_environment_that_is_not_there_is_named(ground: Path) -> None:
    assert [(fault.path, fault.code) for fault in foreign(ground / "none")] == [
        (str(ground / "none"), "unreadable")
    ]


def test_forty_thousand_files_are_looked_at_in_a_second(root: Path) -> None:
    for folder in range(400):
        (root / SITE / f"p{folder}").mkdir()
        for name in range(100):
            os.mknod(root / SITE / f"p{folder}" / f"m{name}.py", 0o644)
    began = time.process_time()
    faults = foreign(root)

    assert faults == []
    # Processor time, so that a loaded machine does not matter; three times what it may take.
    assert time.process_time() - began < 3 * SECOND_FOR_40_000_FILES_S


def test_the_digest_stays_while_nothing_changes(root: Path) -> None:
    assert digest(root) == digest(root)


def test_the_digest_of_what_is_not_there_is_no_error(ground: Path) -> None:
    assert digest(ground / "none") != ""


CHANGES: dict[str, Callable[[Path], object]] = {
    "made again": lambda root: (
        (root / "pyvenv.cfg").replace(root / "old")
        or (root / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    ),
    "marked again": lambda root: (root / ".complete").write_text('{"ours": "2"}'),
    "being changed": lambda root: (root / ".complete").unlink(),
    "a package more": lambda root: (root / SITE / "another").mkdir(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_changes_when_an_environment_is(change: str, root: Path) -> None:
    before = digest(root)
    CHANGES[change](root)

    assert digest(root) != before
