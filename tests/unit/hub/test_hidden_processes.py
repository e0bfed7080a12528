"""A machine that hides processes is recognised by how /proc is mounted."""

import pytest

from bioskills.hub.hidden_processes import MOUNTS, hidden_from

GROUPS = (61_000, 61_007)


def mounted(options: str) -> str:
    return f"sysfs /sys sysfs rw 0 0\nproc /proc proc rw,nosuid,{options} 0 0\ntmpfs /tmp tmpfs rw 0 0\n"


@pytest.mark.parametrize("value", ["1", "2", "4", "noaccess", "invisible", "ptraceable"])
def test_hidden_processes_are_seen_to_be_hidden(value: str) -> None:
    assert hidden_from(GROUPS, mounted(f"hidepid={value}"))


@pytest.mark.parametrize("options", ["relatime", "hidepid=0", "hidepid=off"])
def test_an_ordinary_machine_hides_nothing(options: str) -> None:
    assert not hidden_from(GROUPS, mounted(options))


def test_a_group_that_is_let_through_sees_them() -> None:
    assert not hidden_from(GROUPS, mounted("gid=61007,hidepid=2"))
    assert hidden_from(GROUPS, mounted("gid=4,hidepid=2"))


def test_the_last_mount_counts() -> None:
    assert not hidden_from(GROUPS, mounted("hidepid=2") + mounted("relatime"))


def test_without_a_line_for_proc_nothing_is_claimed() -> None:
    assert not hidden_from(GROUPS, "tmpfs /tmp tmpfs rw 0 0\n")


def test_the_machines_own_list_can_be_read() -> None:
    assert isinstance(hidden_from(GROUPS, MOUNTS.read_text(encoding="utf-8")), bool)
