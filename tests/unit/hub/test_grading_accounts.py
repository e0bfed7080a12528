"""The service accounts of formgrader are nobody, and no person is taken for one."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bioskills.base.problems import InputError
from bioskills.base.run_tokens import LIFETIME, run_of, run_token
from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import Cohort, CourseVersion, Membership, Person, Run, now
from bioskills.hub.authenticator import MembershipMixin
from bioskills.hub.cohort_file import parse_cohort
from bioskills.hub.grading_accounts import ROLE, account_of, is_account, teaches
from bioskills.hub.grading_accounts import run_of as run_of_account

AT = datetime(2027, 3, 1, tzinfo=UTC)
KEY = "a" * 64


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database in which ina teaches the run `spring`, lea learns, and one is named like an account."""
    found = f"sqlite:///{tmp_path}/ours.sqlite"
    ensure_schema(found)
    store = Store(found)
    with store.transaction() as session:
        cohort = Cohort(slug="c", title="C")
        course = CourseVersion(
            course="x", version="1", sha256="0", manifest={}, mapping={}, notes={}
        )
        session.add_all([cohort, course])
        session.flush()
        people = {"ina": "instructor", "lea": "learner", "grading-spring": "instructor"}
        people |= {"asta": "assessor", "cer": "certifier"}
        for number, (name, role) in enumerate(people.items()):
            person = Person(name=name, pseudonym=f"p-{number}", display_name=name)
            session.add(person)
            session.flush()
            session.add(
                Membership(person_id=person.id, cohort_id=cohort.id, role=role, source="test")
            )
        session.add(
            Run(
                slug="spring", course_version_id=course.id, cohort_id=cohort.id,
                opens_at=now(), closes_at=now(), time_zone="Europe/Berlin",
            )
        )  # fmt: skip
    store.close()
    return found


def test_an_account_and_its_run_name_each_other() -> None:
    assert run_of_account(account_of("spring-27")) == "spring-27"
    assert is_account(account_of("x"))
    assert not is_account("ina")


def test_instructors_and_assessors_of_the_run_s_cohort_teach_it(url: str) -> None:
    store = Store(url)

    assert teaches(store, "spring", "ina")
    assert teaches(store, "spring", "asta")
    assert not teaches(store, "spring", "lea")
    assert not teaches(store, "spring", "cer")
    assert not teaches(store, "autumn", "ina")
    store.close()


def test_nobody_signs_in_as_an_account_even_where_the_table_knows_the_name(url: str) -> None:
    gate = MembershipMixin(database_url=url)

    assert gate.model_of("grading-spring") is None
    assert gate.model_of("ina") is not None
    gate._store().close()


def test_an_account_has_one_narrow_role_and_no_group(url: str) -> None:
    gate = MembershipMixin(database_url=url)
    found = asyncio.run(gate.refresh_user(SimpleNamespace(name="grading-spring")))

    assert found == {"name": "grading-spring", "groups": [], "roles": [ROLE], "admin": False}
    assert all(scope.endswith("!user") for scope in ROLE["scopes"])


def test_a_person_cannot_be_named_like_an_account() -> None:
    text = "name,roles\ngrading-spring,learner\n"

    with pytest.raises(InputError, match="belong to the site's own accounts"):
        parse_cohort(text, ".csv", "people.csv", "Europe/Berlin")


def test_a_run_s_token_speaks_for_that_run_until_its_time_is_over() -> None:
    token = run_token(KEY, "spring", AT)

    assert run_of(token, KEY, AT) == "spring"
    assert run_of(token, KEY, AT + LIFETIME - timedelta(seconds=1)) == "spring"
    assert run_of(token, KEY, AT + LIFETIME) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("spring", "autumn"),
        lambda t: ".".join([*t.split(".")[:2], str(int(t.split(".")[2]) + 9), t.split(".")[3]]),
        lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
        lambda t: t.replace("bsf.", "bsh.", 1),
        lambda t: t + ".x",
        lambda _t: "",
        lambda _t: "bsf.spring.x.y",
        lambda _t: "bsf.spring.99999999999.\u00e9",
    ],
)
def test_a_changed_token_speaks_for_nothing(change) -> None:  # type: ignore[no-untyped-def]
    assert run_of(change(run_token(KEY, "spring", AT)), KEY, AT) is None
    assert run_of(run_token("", "spring", AT), "", AT) is None
