"""The hub follows the membership table from inside: at a word of a service, and by date."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from bioskills_http import groups, rest
from bioskills_product import Product
from bioskills_waiting import eventually

from bioskills.hub.membership_door import Told, tell

pytestmark = pytest.mark.integration


def hub_api(product: Product) -> str:
    return f"http://127.0.0.1:{product.environ['BIOSKILLS_NETWORK_HUB_PORT']}/hub/api"


def token(product: Product, service: str) -> str:
    files = {"campus": "state/campus/hub_token", "culler": "state/culler/hub_token"}
    return (product.data / files[service]).read_text().strip()


def cohort(product: Product, folder: Path, slug: str, *names: str) -> None:
    file = folder / f"{slug}.csv"
    rows = "".join(f"{name},learner,{slug}\n" for name in names)
    file.write_text(f"name,roles,cohort\n{rows}")
    done = product.command("cohort", "apply", str(file))
    assert done.returncode == 0, done.stderr
    assert "The running hub was told." in done.stdout


def set_date(product: Product, name: str, column: str, at: datetime) -> None:
    """Write a date into the table as another service would, telling nobody."""
    chosen = f"update membership set {column} = ? where person_id = (select id from person where name = ?)"
    with closing(sqlite3.connect(product.data / "state/db/bioskills.sqlite", timeout=30)) as table:
        changed = table.execute(chosen, (at.strftime("%Y-%m-%d %H:%M:%S.%f"), name))
        assert changed.rowcount == 1
        table.commit()


def test_the_campus_may_say_that_membership_changed_and_nothing_about_users(
    product: Product,
) -> None:
    campus = token(product, "campus")

    assert tell(hub_api(product), campus) is Told.YES
    made = httpx.post(
        f"{hub_api(product)}/users/mallory", headers={"Authorization": f"token {campus}"}
    )
    assert made.status_code in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}
    assert rest(product, "GET", "users/mallory").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("sent", ["culler", "nobody"])
def test_the_door_is_shut_to_every_other_token(product: Product, sent: str) -> None:
    shown = token(product, sent) if sent == "culler" else "0" * 64

    assert tell(hub_api(product), shown) is Told.REFUSED


def test_a_hub_that_is_away_is_said_so() -> None:
    assert tell("http://127.0.0.1:9/hub/api", "x") is Told.AWAY


def test_a_seat_ends_and_begins_by_its_date_without_anybody_saying_so(
    product: Product, tmp_path: Path
) -> None:
    cohort(product, tmp_path, "dated", "dora", "dino")
    assert groups(product)["learners-dated"] == ["dino", "dora"]

    set_date(product, "dora", "valid_to", datetime.now(UTC) + timedelta(seconds=1))
    assert eventually(lambda: groups(product)["learners-dated"] == ["dino"])

    set_date(product, "dora", "valid_from", datetime.now(UTC) + timedelta(seconds=1))
    set_date(product, "dora", "valid_to", datetime.now(UTC) + timedelta(days=1))
    assert eventually(lambda: groups(product)["learners-dated"] == ["dino", "dora"])
