"""What an account at a provider becomes here, and what it never becomes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError
from bioskills.base.settings import load_settings
from bioskills.base.settings_oidc import ClaimRule, Oidc
from bioskills.base.store import Store
from bioskills.base.tables import PLATFORM, ROLES, AuditEntry, Cohort, Membership, Person, now
from bioskills.base.tables_oidc import ProviderAccount
from bioskills.hub.claims import Proof, RefusedError, enter, may_sign_in, name_of, source_of
from bioskills.hub.membership import Seat, seats
from bioskills.hub.oidc_command import release

ISSUER = "https://login.example.org"
BASE = Seat("base", "funder")
"""What everybody who was provisioned has: without any seat nobody enters."""
LEARNERS = {"group": "cohort-2026", "cohort": "autumn", "role": "learner"}


@pytest.fixture
def session(store: Store) -> Any:
    with store.transaction() as found:
        base = Cohort(slug=BASE.cohort, title="B")
        found.add_all([Cohort(slug="autumn", title="A"), Cohort(slug=PLATFORM, title="P"), base])
        found.flush()
        for number, name in enumerate(("lea", "miro"), 1):
            email = f"{name}@example.org"
            person = Person(name=name, pseudonym=f"p-{number:06d}", display_name=name, email=email)
            found.add(person)
            found.flush()
            row = {"person_id": person.id, "cohort_id": base.id, "role": BASE.role}
            found.add(Membership(**row, source="file:base"))
        found.flush()
        yield found


def rules(**options: Any) -> Oidc:
    return Oidc.model_validate({"issuer": ISSUER, "claims": [LEARNERS], **options})


def proof(subject: str = "1", **said: Any) -> Proof:
    return Proof(ISSUER, subject, said.pop("username", ""), **said)


def mails(*emails: str) -> dict[str, frozenset[str]]:
    return {"emails": frozenset(emails)}


def in_groups(*groups: str) -> dict[str, frozenset[str]]:
    return {"groups": frozenset(groups)}


def refused(session: Session, given: Proof, **options: Any) -> str:
    with pytest.raises(RefusedError) as error:
        enter(session, given, rules(**options), now())
    return error.value.reason


def test_a_verified_address_meets_its_person_and_the_account_stays_theirs(session: Session) -> None:
    assert enter(session, proof(**mails("LEA@example.org")), rules(), now()) == "lea"
    assert enter(session, proof(**mails("miro@example.org")), rules(), now()) == "lea"


def test_a_user_name_meets_nobody_unless_the_settings_say_so(session: Session) -> None:
    given = proof(username="lea")

    assert refused(session, given) == "unknown"
    assert enter(session, given, rules(match_by="name"), now()) == "lea"


def test_a_person_who_has_an_account_meets_no_second_one(session: Session) -> None:
    enter(session, proof("1", **mails("lea@example.org")), rules(), now())

    assert refused(session, proof("2", **mails("lea@example.org"))) == "taken"


def test_the_same_id_at_another_provider_is_another_account(session: Session) -> None:
    enter(session, proof("1", **mails("lea@example.org")), rules(), now())
    other = Proof("https://other.example.org", "1", "", **mails("miro@example.org"))

    assert enter(session, other, rules(), now()) == "miro"


def test_an_account_that_two_people_could_be_is_nobodys(session: Session) -> None:
    given = proof(username="miro", **mails("lea@example.org"))

    assert refused(session, given, match_by="email_or_name") == "several"
    assert refused(session, proof(**mails("lea@example.org", "miro@example.org"))) == "several"


@pytest.mark.parametrize(
    "email",
    [
        "\u212aim@example.org",  # Kelvin sign: folds to k
        "le\u0101@example.org",
        "lea@example.org.evil.org",
        "lea @example.org",
    ],
)
def test_an_address_that_only_looks_alike_is_another_one(session: Session, email: str) -> None:
    person = Person(name="kim", pseudonym="p-9", display_name="Kim", email="kim@example.org")
    session.add(person)
    session.flush()

    assert refused(session, proof(**mails(email))) == "unknown"


@pytest.mark.parametrize(
    ("written", "domain", "expected"),
    [
        ("Lea.Brandt", "", "lea.brandt"),
        ("lea@example.org", "example.org", "lea"),
        ("lea@Example.org", "example.org", "lea"),
        ("lea@other.org", "example.org", ""),  # another organisation's lea
        ("lea@example.org", "", ""),
        ("l_e_a", "", ""),  # nothing is left out
        ("le\u00e4", "", ""),
        ("\u212aim", "", ""),
        ("grading-x", "", ""),  # a service's
        ("", "", ""),
        ("a" * 41, "", ""),
    ],
)
def test_names_are_taken_as_they_are_or_not_at_all(
    written: str, domain: str, expected: str
) -> None:
    assert name_of(written, domain) == expected


def test_nobody_is_made_unless_settings_allow_it_and_a_claim_gives_a_seat(session: Session) -> None:
    given = proof(username="nina", **in_groups("cohort-2026"))

    assert refused(session, given) == "unknown"
    assert refused(session, proof(username="nina"), create_people=True) == "unknown"
    assert enter(session, given, rules(create_people=True), now()) == "nina"
    assert seats(session, "nina") == [Seat("autumn", "learner")]


def test_a_new_person_with_a_name_that_is_taken_gets_another_one(session: Session) -> None:
    given = proof(username="lea", **in_groups("cohort-2026"))

    assert enter(session, given, rules(create_people=True), now()) == "lea-2"


def test_a_claim_ends_its_own_seats_alone_and_gives_them_again(session: Session) -> None:
    lea = session.scalars(select(Person).where(Person.name == "lea")).one()
    autumn = session.scalars(select(Cohort).where(Cohort.slug == "autumn")).one()
    for source in ("file:autumn", "page:ada"):
        row = Membership(person_id=lea.id, cohort_id=autumn.id, role="assessor", source=source)
        session.add(row)
    there = proof(**mails("lea@example.org"), **in_groups("cohort-2026"))
    gone = proof(**mails("lea@example.org"))
    found = []
    for given in (there, gone, there):
        enter(session, given, rules(), now() - timedelta(seconds=1))
        found.append(seats(session, "lea"))

    both, own = (
        [Seat("autumn", "assessor"), Seat("autumn", "learner"), BASE],
        [Seat("autumn", "assessor"), BASE],
    )
    assert found == [both, own, both]


def test_a_seat_of_a_provider_that_is_not_asked_any_more_ends(session: Session) -> None:
    there = proof(**mails("lea@example.org"), **in_groups("cohort-2026"))
    enter(session, there, rules(), now())
    other = Proof("https://new.example.org", "7", "", **mails("lea@example.org"))

    enter(session, other, rules(), now())

    assert seats(session, "lea") == [BASE]


def test_a_rule_for_a_cohort_that_is_not_there_gives_nothing(session: Session) -> None:
    rule = {"group": "g", "cohort": "winter", "role": "learner"}
    given = proof(**mails("lea@example.org"), **in_groups("g"))

    enter(session, given, rules(claims=[rule]), now())

    assert seats(session, "lea") == [BASE]


@pytest.mark.parametrize("create", [False, True])
def test_who_may_not_sign_in_is_bound_to_nobody(session: Session, create: bool) -> None:
    known, new = proof("1", **mails("lea@example.org")), proof("2", username="nina")
    for given in (known, replace(new, **in_groups("cohort-2026"))):
        assert refused(session, given, allowed_groups="staff", create_people=create) == "group"

    assert session.scalars(select(ProviderAccount)).all() == []
    assert session.scalar(select(Person).where(Person.name == "nina")) is None


def test_who_has_no_seat_is_bound_to_nobody(store: Store) -> None:
    with store.transaction() as session:
        email = "kim@example.org"
        session.add(Person(name="kim", pseudonym="p-000009", display_name="Kim", email=email))
    with pytest.raises(RefusedError, match="no_seat"), store.transaction() as session:
        enter(session, proof(**mails(email)), rules(), now())

    with store.reading() as session:
        assert session.scalars(select(ProviderAccount)).all() == []
        assert session.scalars(select(AuditEntry)).all() == []


def test_the_audit_log_says_what_a_claim_changed_without_a_name(session: Session) -> None:
    given = proof("secret-id", **mails("lea@example.org"), **in_groups("cohort-2026"))
    enter(session, given, rules(), now())
    entries = list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))

    assert [(e.actor, e.action, e.subject) for e in entries] == [
        ("sign-in", "account.bind", "p-000001"),
        ("sign-in", "claim.seats", "p-000001"),
    ]
    assert "secret-id" not in str([e.detail for e in entries])
    assert session.scalars(select(ProviderAccount.subject)).one() == "secret-id"


def test_groups_that_may_sign_in_keep_out_everybody_else() -> None:
    assert may_sign_in(proof(), rules())
    assert may_sign_in(proof(**in_groups("staff")), rules(allowed_groups="staff, guests"))
    assert not may_sign_in(proof(**in_groups("staff")), rules(allowed_groups="guests"))


def test_a_source_fits_its_column_and_two_issuers_stay_apart() -> None:
    long = "https://login.microsoftonline.com/{}/v2.0"
    one, two = (source_of(long.format(d * 36)) for d in "ab")

    assert source_of(ISSUER) == "claim:login.example.org"
    assert one != two
    assert {len(one), len(two)} == {60}


def test_a_claim_may_name_every_role_there_is() -> None:
    assert get_args(ClaimRule.model_fields["role"].annotation) == ROLES


def test_a_claim_gives_no_role_of_the_platform_unless_that_is_said(tmp_path: Any) -> None:
    file = tmp_path / "bioskills.toml"
    text = '[[oidc.claims]]\ngroup = "rulers"\ncohort = "platform"\nrole = "admin"\n'
    file.write_text(text)
    with pytest.raises(InputError, match="claims_may_give_platform_roles = true"):
        load_settings(file, {})
    file.write_text("[oidc]\nclaims_may_give_platform_roles = true\n" + text)

    assert load_settings(file, {}).oidc.claims[0].role == "admin"


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"issuer": "http://login.example.org"}, "https://"),
        ({"tenant": "common"}, "tenant"),
        ({"claims": [{**LEARNERS, "role": "admin"}]}, "belong to the cohort platform"),
        ({"claims": [{**LEARNERS, "cohort": "platform"}]}, "belong to the cohort platform"),
        ({"claims": [{**LEARNERS, "role": "king"}]}, "claims"),
        ({"claims": "{not json"}, "claims"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Oidc.model_validate(options)


def test_an_account_that_was_released_makes_room_for_another_one(session: Session) -> None:
    enter(session, proof("1", **mails("lea@example.org")), rules(), now())
    release(session, "lea", "root")

    with pytest.raises(RefusedError, match="unknown"):  # who is here still does not take it back
        enter(session, proof("1", **mails("lea@example.org")), rules(), now(), may_bind=False)
    assert enter(session, proof("2", **mails("lea@example.org")), rules(), now()) == "lea"
    for name, said in (("miro", "no account at a provider"), ("zoe", "nobody here")):
        with pytest.raises(InputError, match=said):
            release(session, name, "root")
