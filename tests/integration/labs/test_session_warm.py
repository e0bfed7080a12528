"""A cohort's labs run before its session begins."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bioskills_http import rest, server_of
from bioskills_ports import free_port
from bioskills_product import Product

from bioskills.hub.session_warm import hub_client, keep

pytestmark = pytest.mark.integration
LEARNERS = {"lea", "miro", "sofia"}


def running(product: Product) -> set[str]:
    return {user["name"] for user in rest(product, "GET", "users").json() if user["server"]}


def test_a_cohorts_labs_are_started_in_waves_and_a_second_time_left_as_they_are(
    product: Product,
) -> None:
    done = product.command("session", "warm", "demo", "--wave", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 3 labs are running." in done.stdout
    assert "3 of 3 labs are running." in done.stdout
    assert running(product) >= LEARNERS

    before = {name: server_of(product, name)["started"] for name in LEARNERS}
    assert product.command("session", "warm", "demo").returncode == 0
    assert {name: server_of(product, name)["started"] for name in LEARNERS} == before


def test_a_kept_lab_counts_as_used(product: Product) -> None:
    assert product.command("session", "warm", "demo").returncode == 0
    token = (product.data / "state/hub/provision_token").read_text().strip()
    api = f"http://127.0.0.1:{product.environ['BIOSKILLS_NETWORK_HUB_PORT']}/hub/api"
    said: list[str] = []

    async def act() -> None:
        async with hub_client(api, token) as hub:
            await keep(hub, ["lea"], datetime.now(UTC) + timedelta(seconds=1), said.append)

    began = datetime.now(UTC)
    asyncio.run(act())
    assert datetime.fromisoformat(server_of(product, "lea")["last_activity"]) >= began
    assert said[0].startswith("Keeping 1;")


def test_an_unknown_cohort_is_named_with_the_nearest_one(product: Product) -> None:
    done = product.command("session", "warm", "demmo")
    assert done.returncode != 0
    assert "demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_hub_the_next_step_is_said(product: Product) -> None:
    nowhere = {**product.environ, "BIOSKILLS_NETWORK_HUB_PORT": str(free_port())}
    done = replace(product, environ=nowhere).command("session", "warm", "demo")
    assert done.returncode != 0
    assert "bioskills run" in done.stderr
