"""People lists on the page: who left stays out, a saved list comes back unchanged, odd uploads."""

import os
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bioskills_waiting import eventually
from pages_builders import NOW, World
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.tables_teaching import Withdrawal
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus import withdrawals
from bioskills.hub.campus.people_staged import forget_old, stage, staged
from bioskills.hub.membership import has_seat

PEOPLE = f"{CAMPUS_PREFIX}people"
LIST = """cohort,title,name,display_name,email,roles,tags,from,to,returns
red,=Red+1,kim,Łucja Müller-Ångström,kim@example.org,learner,evening,,,
red,,lee,=HYPERLINK(1),lee@example.org,learner,-x,2027-09-01,2027-12-01,
red,,ina,'=quoted,,instructor learner,,,,
red,,max,@max,,admin learner,,,,
"""


@pytest.fixture
def world(empty: World) -> World:
    empty.site.places.campus.mkdir(parents=True)
    empty.cohort(tables.PLATFORM, "Platform")
    empty.person("root", ("admin", tables.PLATFORM), display="Root Admin")
    return empty


def upload(world: World, text: str, *, roles: bool = True) -> str:
    """Return the address of the page that compares."""
    fields = {"pasted": text, "_csrf": "csrf-1", **({"platform_roles": "yes"} if roles else {})}
    answer = world.browser("root").post(f"{PEOPLE}/upload", data=fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def compare(world: World, address: str) -> str:
    return " ".join(world.browser("root").get(address).text.split())


def apply(world: World, text: str) -> str:
    address = upload(world, text)
    page = compare(world, address)
    assert 'name="plan"' in page, page.split("</defs>")[-1][:600]
    plan = page.split('name="plan" value="')[1].split('"')[0]
    answer = world.browser("root").post(f"{address}/apply", data={"plan": plan})
    assert answer.status_code == 303, answer.text
    return page


def saved(world: World, cohort: str = "red") -> str:
    answer = world.browser("root").get(f"{PEOPLE}/{cohort}/people.csv")
    assert answer.status_code == 200
    return answer.text


def leave(world: World, name: str = "kim") -> None:
    with world.store.transaction() as session:
        person = session.scalars(select(tables.Person).where(tables.Person.name == name)).one()
        cohort = session.scalars(select(tables.Cohort).where(tables.Cohort.slug == "red")).one()
        at = NOW - timedelta(days=1)
        seat = session.scalars(
            select(tables.Membership).where(
                tables.Membership.person_id == person.id,
                tables.Membership.role == "learner",
                tables.Membership.cohort_id == cohort.id,
            )
        ).one()
        seat.valid_from = at - timedelta(days=9)
        session.flush()
        withdrawals.withdraw(session, person, cohort, "Moved.", by="p-000009", at=at)


def learns(world: World, name: str = "kim") -> bool:
    with world.store.reading() as session:
        return has_seat(session, name, "red", ["learner"], NOW)


def test_a_saved_list_uploaded_unchanged_changes_nothing(world: World) -> None:
    apply(world, LIST)
    first = saved(world)

    page = compare(world, upload(world, first))

    assert "The cohort is as the list says." in page
    assert "Nothing to change." in page
    assert "Müller-Ångström" in first
    assert "'=HYPERLINK(1)" in first
    assert saved(world) == first


def test_a_saved_list_is_unchanged_after_somebody_left_or_learns_in_two_cohorts(
    world: World,
) -> None:
    apply(world, LIST)
    apply(world, LIST.replace("red,", "blue,").replace("admin learner", "instructor"))
    leave(world)
    leave_too = saved(world)

    assert "kim" not in leave_too
    for cohort in ("red", "blue"):
        assert "Nothing to change." in compare(world, upload(world, saved(world, cohort)))


def test_a_saved_list_holds_no_seat_that_no_list_gave(world: World) -> None:
    apply(world, LIST)
    world.person("zoya", ("learner", "red"))

    assert "zoya" not in saved(world)
    assert "Nothing to change." in compare(world, upload(world, saved(world)))


def test_roles_that_began_on_different_days_stay_as_they_are(world: World) -> None:
    apply(world, LIST)
    with world.store.transaction() as session:
        for seat in session.scalars(
            select(tables.Membership).where(tables.Membership.role == "instructor")
        ):
            seat.valid_from = NOW - timedelta(days=30)

    assert "Nothing to change." in compare(world, upload(world, saved(world)))


def test_who_has_left_stays_out_when_the_same_list_is_applied_again(world: World) -> None:
    apply(world, LIST)
    leave(world)

    page = compare(world, upload(world, LIST))

    assert "has left on 2027-03-17 and stays out" in page
    assert "Stays out" in page
    assert "Nothing to change." in page
    assert "Apply" not in page.split("applybar")[1]
    assert not learns(world)


def test_a_list_takes_somebody_back_in_so_many_words_and_closes_the_leaving(world: World) -> None:
    apply(world, LIST)
    leave(world)
    back = LIST.replace("evening,,,", "evening,,,yes")

    page = apply(world, back)

    assert "comes back; had left on 2027-03-17" in page
    assert learns(world)
    with world.store.reading() as session:
        row = session.scalars(select(Withdrawal)).one()
        actions = set(session.scalars(select(tables.AuditEntry.action)))
    assert "took back withdrawal" in actions
    assert row.ended_at == NOW
    assert row.ended_by == world.pseudonym("root")
    assert "Nothing to change." in compare(world, upload(world, back))


def test_an_undo_of_taking_somebody_back_opens_the_leaving_again(world: World) -> None:
    apply(world, LIST)
    leave(world)
    apply(world, LIST.replace("evening,,,", "evening,,,yes"))

    answer = world.browser("root").post(f"{PEOPLE}/red/undo")

    assert answer.headers["location"].startswith(f"{PEOPLE}/red?done=undone&n=")
    assert not learns(world)
    with world.store.reading() as session:
        assert session.scalars(select(Withdrawal)).one().ended_at is None


def test_an_undo_that_takes_nothing_back_says_so(world: World) -> None:
    apply(world, LIST)
    apply(world, LIST.replace("Łucja Müller-Ångström", "Lucia Müller"))

    answer = world.browser("root").post(f"{PEOPLE}/red/undo")

    page = compare(world, answer.headers["location"])
    assert "Nothing was taken back: what the last change wrote" in page
    assert "The last change was taken back." not in page


def test_two_clicks_on_upload_keep_one_list(world: World) -> None:
    site = replace(world.site, clock=tables.now)
    content, failed, keys = LIST.encode() * 50, [], set()

    def click() -> None:
        try:
            keys.update(stage(site, "a.csv", content, platform_roles=False) for _n in range(20))
        except OSError as error:
            failed.append(error)

    clicks = [threading.Thread(target=click) for _n in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()

    assert failed == []
    assert staged(site, keys.pop()).content == content
    assert [file.suffix for file in uploads(world)] == [""]


def uploads(world: World) -> list[Path]:
    return sorted((world.site.places.campus / "uploads").iterdir())


def test_a_list_lies_in_a_file_that_only_we_read(world: World) -> None:
    upload(world, LIST)

    assert [file.stat().st_mode & 0o777 for file in uploads(world)] == [0o600]


def test_a_list_that_waits_for_apply_goes_after_a_day_though_nobody_comes(world: World) -> None:
    upload(world, LIST)
    upload(world, LIST.replace("kim", "tim"))
    old = (NOW - timedelta(days=1, minutes=1)).timestamp()
    fresh = (NOW - timedelta(hours=23)).timestamp()
    for file, at in zip(uploads(world), (old, fresh), strict=True):
        os.utime(file, (at, at))

    with world.browser("root"):  # the life of the campus begins, with its first round
        eventually(lambda: len(uploads(world)) == 1)

    forget_old(world.site)
    assert len(uploads(world)) == 1


def test_the_compare_page_says_which_version_a_run_delivers(world: World) -> None:
    world.course()
    run = LIST.replace("returns\n", "returns,course,opens,closes\n", 1).replace(
        "evening,,,\n", "evening,,,,first-steps,2027-09-01,2027-12-01\n", 1
    )
    run = "\n".join(
        line if "first-steps" in line or "returns" in line else f"{line},,,"
        for line in run.splitlines()
        if line
    )

    assert "first-steps 1.0.0," in apply(world, run)
    moved = compare(world, upload(world, run.replace("2027-12-01", "2027-12-02")))

    assert "closes 2027-12-01 22:59 UTC → 2027-12-02 22:59 UTC (first-steps 1.0.0)" in moved
