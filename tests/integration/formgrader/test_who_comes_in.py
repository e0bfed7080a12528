"""Formgrader opens to the instructors of its run, and to nobody else."""

import json
import os
import socket
import time
from contextlib import suppress

import pytest
from bioskills_cohorts import bring_in, cohort_text
from bioskills_formgrader import Formgrader, at_formgrader
from bioskills_handins import HandIns
from bioskills_http import rest, server_of, visitor
from bioskills_product import Product
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

FELT_S = 60
"""`sign_in.permissions_age_s` is 10, the machine may be loaded, and what is trusted by default is so for 300."""


@pytest.fixture(scope="module")
def second(product: Product) -> str:
    """Another run: nora teaches it, and is a learner beside that."""
    bring_in(product, second_cohort("instructor learner"))
    run = "second-run"
    ready = product.data / f"state/grader/runs/{run}/pristine.db"
    assert eventually(ready.exists, 120)
    return run


def second_cohort(nora: str) -> str:
    return cohort_text("second", {"nora": nora, "tom": "learner", "otto": "instructor"}, runs=True)


def test_an_instructor_gets_in_and_sees_the_run_s_assignments(ina: Formgrader) -> None:
    page = ina.open()
    told = ina.send("GET", "formgrader/api/assignments").json()

    assert "nbgrader" in page.text
    assert [assignment["name"] for assignment in told] == ["p1", "s1"]


@pytest.mark.parametrize("name", ["lea", "max", "ada"])
def test_who_does_not_teach_the_run_is_refused_at_the_door_and_at_the_server(
    product: Product, ina: Formgrader, name: str
) -> None:
    with at_formgrader(product, name) as theirs:
        door, server = theirs.client.get(theirs.door), theirs.get("formgrader/manage_assignments")

    assert [door.status_code, server.status_code] == [403, 403]
    assert "for the instructors and assessors of its course run" in door.text
    assert ina.get("formgrader/manage_assignments").is_success


def test_an_instructor_of_another_run_is_refused(
    product: Product, ina: Formgrader, second: str
) -> None:
    with at_formgrader(product, "otto") as theirs:
        door, server = theirs.client.get(theirs.door), theirs.get("formgrader/api/assignments")
    with at_formgrader(product, "otto", second) as own:
        opened = own.open()

    assert [door.status_code, server.status_code] == [403, 403]
    assert opened.is_success


def test_a_stranger_is_sent_to_sign_in(ina: Formgrader) -> None:
    with visitor() as client:
        theirs = Formgrader(ina.product, client)
        door, server = client.get(theirs.door), theirs.get("formgrader/manage_assignments")

    assert all("/hub/login" in str(answer.url) for answer in (door, server))


def test_who_stops_teaching_is_out_within_seconds_and_in_again_when_back(
    product: Product, second: str
) -> None:
    with at_formgrader(product, "nora", second) as nora:
        assert nora.open()

        bring_in(product, second_cohort("learner"))
        begun = time.monotonic()
        out = eventually(lambda: nora.get("formgrader/manage_students").status_code == 403, FELT_S)
        print(f"refused after {time.monotonic() - begun:.1f} s")
        door = nora.client.get(nora.door)

        bring_in(product, second_cohort("instructor learner"))
        back = nora.open()

    assert out
    assert door.status_code == 403
    assert back.is_success


def test_nobody_signs_in_as_the_service_account(product: Product, ina: Formgrader) -> None:
    text = cohort_text("odd", {ina.account[:40].rstrip("-"): "learner"}, runs=False)
    file = product.data / "odd.toml"
    file.write_text(text)
    refused = product.command("cohort", "apply", str(file))
    groups = rest(product, "GET", f"users/{ina.account}").json()["groups"]

    assert refused.returncode != 0
    assert "belong to the site's own accounts" in refused.stdout + refused.stderr
    assert groups == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is another uid than the hub's")
def test_the_service_listens_to_the_hub_alone(product: Product, ina: Formgrader) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(product.run_dir / "formgrader" / "door.sock"))
        with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it was asked
            door.sendall(json.dumps({"op": "stop", "run": ina.run}).encode() + b"\n")
        told = json.loads(door.makefile().readline())

    assert told == {"failed": "not_allowed"}
    assert ina.get("formgrader/manage_assignments").is_success


def test_it_ends_when_the_hub_stops_it_and_the_next_visit_starts_it_again(
    ina: Formgrader, lea: HandIns
) -> None:
    del lea
    answer = rest(ina.product, "DELETE", f"users/{ina.account}/server")

    assert answer.status_code in {202, 204}
    assert eventually(lambda: not ina.get("formgrader/manage_assignments").is_success)
    assert eventually(lambda: not server_of(ina.product, ina.account))
    assert ina.open()
