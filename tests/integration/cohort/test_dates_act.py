"""A run opens and closes by its dates alone: nobody presses a button, nothing is restarted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from bioskills_handins import HandIns
from bioskills_product import Product
from bioskills_tests import COURSE
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

RUN = "soon-run"


def soon(product: Product, folder: Path, opens: datetime, closes: datetime) -> None:
    file = folder / "soon.toml"
    file.write_text(
        '[cohort]\nslug = "soon"\n[[people]]\nname = "sonja"\nroles = ["learner"]\n'
        f'[[runs]]\nslug = "{RUN}"\ncourse = "{COURSE.name}"\n'
        f'opens = "{opens.isoformat()}"\ncloses = "{closes.isoformat()}"\n'
    )
    done = product.command("cohort", "apply", str(file))
    assert done.returncode == 0, done.stderr


def overview(learner: HandIns) -> dict[str, object]:
    """Return the run as the panel has it."""
    port = learner.product.environ["BIOSKILLS_NETWORK_CAMPUS_PORT"]
    answer = httpx.get(
        f"http://127.0.0.1:{port}/services/campus/api/v1/lab/overview",
        headers={"Authorization": f"Bearer {learner.token}"},
        trust_env=False,
    )
    (found,) = [run for run in answer.raise_for_status().json()["runs"] if run["slug"] == RUN]
    return found


def refusal(learner: HandIns, act: str) -> str:
    """Return the word by which the campus refuses to give or take work; empty where it does not."""
    try:
        learner.released("p1") if act == "fetch" else learner.hand_in("p1")
    except httpx.HTTPStatusError as error:
        return str(error.response.json()["error"])
    return ""


def test_a_run_opens_and_closes_by_its_dates(product: Product, tmp_path: Path) -> None:
    opens = datetime.now(UTC) + timedelta(seconds=40)
    soon(product, tmp_path, opens, opens + timedelta(weeks=10))
    learner = HandIns(product, "sonja", RUN)

    # Before: the panel says when, and nothing can be fetched.
    before = overview(learner)
    assert datetime.now(UTC) < opens, "the machine was too slow to look before it opened"
    assert before["is_open"] is False
    assert str(before["next"]["title"]).startswith("Your course begins ")
    assert refusal(learner, "fetch") == "not_open"

    # It opens.
    assert eventually(lambda: overview(learner)["is_open"])
    assert datetime.now(UTC) >= opens
    assert eventually(lambda: refusal(learner, "fetch") == "")
    assert refusal(learner, "hand in") == ""

    # It closes: nothing can be handed in, everything can be read.
    soon(product, tmp_path, opens, datetime.now(UTC) + timedelta(seconds=5))
    assert eventually(lambda: overview(learner)["next"]["kind"] == "none")
    assert refusal(learner, "hand in") == "closed"
    assert refusal(learner, "fetch") == ""
    listed = learner.call("GET", "assignments/p1/submissions").json()
    assert len(listed["submissions"]) == 1
