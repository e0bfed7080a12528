"""What a learner may use, where cohorts set limits of their own."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bioskills.base.problems import Problem
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import now
from bioskills.fork_server.client import RefusedError
from bioskills.hub import fork_spawner
from bioskills.hub.cohort_file import WantedPerson, Wish
from bioskills.hub.cohort_limits import LAB_LIMITS, effective, limits_from
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.lab_failures import OUT_OF_MEMORY
from bioskills.hub.lab_spawner import LabError
from bioskills.hub.spawner_choice import lab_limits

SETTINGS = {"memory_mb": 2048, "processes": 256, "home_mb": 2048}


@pytest.mark.parametrize(
    ("cohorts", "told"),
    [
        ([], SETTINGS),
        ([{}], SETTINGS),
        ([{"memory_mb": 512}], {**SETTINGS, "memory_mb": 512}),
        ([{"memory_mb": 512}, {"memory_mb": 4096}], {**SETTINGS, "memory_mb": 4096}),
        ([{"memory_mb": 512}, {"processes": 64}], {**SETTINGS, "memory_mb": 512, "processes": 64}),
        ([{"home_mb": 9000}, {"home_mb": 0}], {**SETTINGS, "home_mb": 0}),
        ([{"unheard": 1}], SETTINGS),
    ],
    ids=["none", "unset", "smaller", "largest", "each its own", "0 is no limit", "unknown"],
)
def test_the_largest_of_the_cohorts_counts_else_the_settings(
    cohorts: list[dict[str, int]], told: dict[str, int]
) -> None:
    assert effective(SETTINGS, iter(cohorts)) == told


def test_every_limit_of_the_settings_is_one_that_a_cohort_may_set() -> None:
    settings = lab_limits(Settings())
    faults: list[Problem] = []

    same = limits_from({name: str(value) for name, value in settings.items()}, "f", faults)

    assert same == settings
    assert tuple(same) == LAB_LIMITS
    assert faults == []


def test_room_and_sentence_have_the_limits_of_the_cohort(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lea = WantedPerson("lea", "Lea", None, ("learner",))
    with store.transaction() as session:
        wish = Wish("spring", "Spring", (lea,), (), {"memory_mb": 512})
        apply_wish(session, wish, actor="test", now=now())
    asked: list[dict[str, Any]] = []

    async def refuse(_socket: Path, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        raise RefusedError(OUT_OF_MEMORY)

    monkeypatch.setattr(fork_spawner, "ask", refuse)
    monkeypatch.setattr(fork_spawner.ForkSpawner, "queue", None)
    spawner = fork_spawner.ForkSpawner(store=store, limits=SETTINGS, runtime_dir=str(tmp_path))
    spawner.user = SimpleNamespace(name="lea")

    with pytest.raises(LabError, match="more than the 512 MB of memory"):
        asyncio.run(spawner.start())
    assert asked[0]["limits"] == {**SETTINGS, "memory_mb": 512}
