"""Attacks on tests are flagged in a real IPython kernel; honest work never is."""

import json
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from bioskills_gaming import CANARY, DYNAMIC, HONEST, HOSTILE, READS_HISTORY, REPLY, STATIC, Hostile
from bioskills_product import ENVIRONMENTS

from bioskills.graders.canary import canary, hides_its_error, passed
from bioskills.graders.flag_words import sentences
from bioskills.graders.screening import Written, screen

pytestmark = pytest.mark.integration
RUNNER = Path(__file__).parents[2] / "lib" / "bioskills_gaming_shell.py"
NAMES = ("gc_percent",)
MOST_MS = 20.0
"""Of the median check; it is below 2 on a machine that does nothing else."""


@pytest.fixture(scope="module")
def nonces() -> Mapping[str, str]:
    names = [case.name for case in HOSTILE]
    return {name: secrets.token_hex(16) for name in ("reads_history_by_letters", *HONEST, *names)}


@pytest.fixture(scope="module")
def played(nonces: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run every case once, each in its own fork of one warm parent."""
    folder = tmp_path_factory.mktemp("gaming")
    sources = {**{h.name: (h.source, h.test) for h in HOSTILE}}
    sources["reads_history_by_letters"] = (READS_HISTORY, "assert gc_percent('GC') == 100")
    sources |= {name: (source, "1") for name, source in HONEST.items()}
    cases = [
        {
            "name": name,
            "cells": [source],
            "tests": [test],
            "canary": canary(nonces[name], NAMES, numpy=True),
        }
        for name, (source, test) in sources.items()
    ]
    (folder / "cases.json").write_text(json.dumps(cases))
    python = ENVIRONMENTS / "course" / "bin" / "python"
    done = subprocess.run(
        [python, "-I", "-X", "frozen_modules=off", RUNNER, "cases.json", "said.json"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "IPYTHONDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "said.json").read_text())


def layers(name: str, source: str, played: Any, nonces: Mapping[str, str]) -> dict[str, Any]:
    """Return the layers that flag a case, each with what it says."""
    said = played[name]
    assert "failed" not in said, said["failed"]
    proved = passed(said["canary"], nonces[name], NAMES, numpy=True)
    found = {
        STATIC: [flag.code for flag in screen([Written("p1/a", source)])],
        DYNAMIC: said["found"],
        REPLY: [e for e in said["ended"] if hides_its_error(e, e.get("outputs", ()))],
        CANARY: [] if proved else [said["canary"]],
    }
    return {layer: what for layer, what in found.items() if what}


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_an_attack_is_flagged_by_the_layers_that_are_named(
    case: Hostile, played: Any, nonces: Mapping[str, str]
) -> None:
    found = layers(case.name, case.source, played, nonces)

    assert found.keys() >= case.layers, found


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_is_never_flagged(name: str, played: Any, nonces: Mapping[str, str]) -> None:
    assert layers(name, HONEST[name], played, nonces) == {}


@pytest.mark.parametrize("name", HONEST)
def test_checks_and_canary_leave_nothing_with_the_learner(name: str, played: Any) -> None:
    assert played[name]["left"] == []
    assert played[name]["count"] == 2  # the answer and the test


def test_the_text_of_a_test_is_not_in_the_history_while_it_runs(played: Any) -> None:
    ended = played["reads_history_by_letters"]["ended"][-1]

    assert (ended["ename"], ended["evalue"]) == ("ValueError", "read: ''")


def test_every_finding_has_a_sentence(played: Any) -> None:
    codes = {code for said in played.values() for code, _detail in said.get("found", ())}
    written = [Written("p1/a", case.source) for case in HOSTILE]
    codes |= {flag.code for flag in screen(written)}

    assert codes - sentences().keys() == set()


def test_what_is_heard_is_told_while_the_cell_still_runs(played: Any) -> None:
    assert ["stack_read", "sys._getframe"] in played["reads_the_callers_frame"]["told"]


def test_a_check_is_quick(played: Any) -> None:
    times = sorted(ms for said in played.values() for ms in said.get("ms", ()))

    assert times[len(times) // 2] < MOST_MS
