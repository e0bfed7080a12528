"""A weaker wall is said with its reason, a spawner is chosen by name, never silently."""

from collections.abc import Iterable
from typing import Any

import pytest

from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.hub.fork_spawner import ForkSpawner
from bioskills.hub.spawner import ExecSpawner
from bioskills.hub.spawner_choice import spawner_of, uses_fork_server
from bioskills.hub.walls import missing_walls, read_about, walls_that_stand

WHOLE = {
    "namespaces": ["mnt", "ipc", "net"],
    "network": "closed",
    "why_network": "",
    "limits": "cgroup2",
    "why_limits": "",
    "disk": "quota",
    "labs": "fork",
}


def test_where_every_wall_stands_nothing_is_missed() -> None:
    assert missing_walls(WHOLE) == []
    assert walls_that_stand(WHOLE) == (
        "Learners' network: closed; limits by control groups v2 and disk quota."
    )


def test_where_no_fork_server_runs_nothing_is_claimed(tmp_path: Any) -> None:
    (tmp_path / "about.json").write_text("{", encoding="utf-8")

    assert read_about(tmp_path) == {}
    assert missing_walls({}) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"network": "shared", "why_network": "settings"}, ("labs.network", "the internet")),
        ({"network": "shared", "why_network": "refused"}, ("refuses networks of their own",)),
        ({"namespaces": ["ipc", "net"]}, ("temporary files and the list of processes",)),
        ({"namespaces": []}, ("list of processes", "shared memory")),
        (
            {"limits": "rlimits", "why_limits": "not_mounted"},
            ("they are not mounted", "each process"),
        ),
        ({"limits": "cgroup1", "why_limits": "no_controllers pids"}, ("missing: pids",)),
        ({"calls": "open"}, ("seccomp", "no closed network holds")),
        ({"labs": "exec", "missing": ["_find_http_port"]}, ("_find_http_port", "slower")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, Iterable) else None,
)
def test_a_missing_wall_is_said_with_what_is_lost(
    change: dict[str, Any], told: tuple[str, ...]
) -> None:
    (said,) = missing_walls({**WHOLE, **change})

    assert [part for part in told if part not in said] == []
    assert "?" not in said


def labs(spawner: str) -> Settings:
    return Settings.model_validate({"labs": {"spawner": spawner}})


@pytest.mark.parametrize("name", ["fork", "slim_exec"])
def test_ours_is_the_fork_server_as_root_and_one_account_otherwise(name: str) -> None:
    assert spawner_of(labs(name), alone=False) is ForkSpawner
    assert spawner_of(labs(name), alone=True) is ExecSpawner
    assert uses_fork_server(labs(name), alone=False)
    assert not uses_fork_server(labs(name), alone=True)


@pytest.mark.parametrize("name", ["simple", "default", "localprocess"])
def test_a_spawner_that_gives_learners_the_hubs_rights_is_refused(name: str) -> None:
    with pytest.raises(SetupError, match="no such spawner that may be used here"):
        spawner_of(labs(name), alone=False)


def test_a_mistyped_spawner_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SetupError, match=r"Did you mean slim_exec\?"):
        spawner_of(labs("slimexec"), alone=False)
