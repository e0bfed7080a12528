"""Locks hold names, versions and hashes, and nothing of where they were made."""

import json
import re
from pathlib import Path

import pytest
from clone import CLONE, name_of, tracked_files

LOCKS = sorted([*CLONE.glob("images/*/requirements.lock"), CLONE / "tests" / "requirements.lock"])
NPM_LOCKS = [path for path in tracked_files() if path.name == "package-lock.json"]
REQUIREMENT = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
NEVER_IN = {
    "hub": {"nbgrader", "pandas", "jupyterlab", "kubernetes-asyncio", "jupyterhub-kubespawner"},
    "lab": {"kubernetes-asyncio", "jupyterhub-kubespawner", "pandas", "biopython"},
    "course": {"jupyterhub", "nbgrader", "kubernetes-asyncio", "sqlalchemy"},
}


def packages(lock: Path) -> dict[str, str]:
    return dict(REQUIREMENT.findall(lock.read_text(encoding="utf-8")))


def identity(path: Path) -> str:
    return name_of(path)


@pytest.mark.parametrize("lock", LOCKS, ids=identity)
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    blocks = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    bad = [
        block.splitlines()[0]
        for block in blocks
        if "==" not in block or "--hash=sha256:" not in block
    ]

    assert bad == []


@pytest.mark.parametrize("lock", LOCKS, ids=identity)
def test_no_lock_holds_an_address_or_a_path(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")

    assert not re.search(
        r"://|@ |--(extra-)?index|--find-links|^-[cre] |\bfile:|^#", text, re.MULTILINE
    )


@pytest.mark.parametrize("lock", LOCKS, ids=identity)
def test_what_is_asked_for_is_locked(lock: Path) -> None:
    asked = re.findall(
        r"^([a-z][a-z0-9-]*)", lock.with_suffix(".in").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert set(asked) <= set(packages(lock))


def test_a_package_has_one_version_in_all_environments() -> None:
    whole = packages(CLONE / "tests" / "requirements.lock")
    other = {
        f"{name_of(lock)}: {name}": version
        for lock in LOCKS
        for name, version in packages(lock).items()
        if name in whole and whole[name] != version
    }

    assert other == {}


@pytest.mark.parametrize("environment", NEVER_IN)
def test_an_environment_stays_free_of_what_does_not_belong_there(environment: str) -> None:
    lock = CLONE / "images" / environment / "requirements.lock"

    assert NEVER_IN[environment] & set(packages(lock)) == set()


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=identity)
def test_npm_locks_have_hashes_and_no_addresses(lock: Path) -> None:
    entries = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    fetched = {name: body for name, body in entries.items() if name and not body.get("link")}

    assert [name for name, body in fetched.items() if "resolved" in body] == []
    assert [name for name, body in fetched.items() if "integrity" not in body] == []


def test_there_is_a_lock_for_every_environment() -> None:
    assert {lock.parent.name for lock in LOCKS} == {
        "hub",
        "lab",
        "course",
        "wheels",
        "setup",
        "tests",
    }
    assert CLONE / "images" / "hub" / "package-lock.json" in NPM_LOCKS
