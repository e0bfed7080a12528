"""The page on which instructors make tokens."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bioskills.base.run_tokens import run_token
from bioskills.base.tables import ApiToken, AuditEntry
from bioskills.base.wire import CAMPUS_PREFIX

# Test folders are no packages: the pages' world is loaded by its path.
_path = Path(__file__).parents[1] / "pages" / "builders.py"
_spec = importlib.util.spec_from_file_location("exchange_pages_builders", _path)
assert _spec is not None
assert _spec.loader is not None
builders = importlib.util.module_from_spec(_spec)
sys.modules["exchange_pages_builders"] = builders
_spec.loader.exec_module(builders)

TOKENS = f"{CAMPUS_PREFIX}tokens"
GOOD = {"label": "office computer", "run": "spring", "verbs": ["list", "collect"], "days": "7"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Any]:
    with builders.world_in(tmp_path) as found:
        found.run("spring", found.course(), found.cohort("spring-27"))
        found.cohort("autumn-27")
        found.person("kim", ("learner", "spring-27"))
        found.person("ada", ("instructor", "spring-27"))
        found.person("bea", ("instructor", "spring-27"))
        found.person("zoe", ("assessor", "spring-27"))
        yield found


def rows(place: Any) -> list[ApiToken]:
    with place.store.reading() as session:
        return list(session.query(ApiToken))


def made(place: Any, name: str = "ada") -> str:
    page = place.browser(name).post(TOKENS, data=GOOD).text
    return str(page.split("BIOSKILLS_TOKEN=")[1].split("<")[0])


@pytest.mark.parametrize("name", ["kim", "zoe"])
def test_only_who_teaches_makes_tokens(place: Any, name: str) -> None:
    assert place.browser(name).get(TOKENS).status_code == 403
    assert place.browser(name).post(TOKENS, data=GOOD).status_code == 403
    assert rows(place) == []


def test_an_empty_page_says_what_to_do(place: Any) -> None:
    page = place.browser("ada").get(TOKENS).text

    assert "You have no token" in page
    assert '<option value="spring"' in page


def test_a_token_is_shown_once(place: Any) -> None:
    token = made(place)

    assert token.startswith("bsh_")
    assert token not in place.browser("ada").get(TOKENS).text
    assert token not in repr([vars(row) for row in rows(place)])


def test_a_token_is_narrow_and_ends(place: Any) -> None:
    made(place)

    token = rows(place)[0]
    assert token.verbs == ["collect", "list"]
    assert token.expires_at - token.created_at == timedelta(days=7)


def test_making_and_revoking_are_audited_without_names(place: Any) -> None:
    made(place)
    place.browser("ada").post(f"{TOKENS}/1/revoke")

    with place.store.reading() as session:
        entries = [(e.action, e.actor) for e in session.query(AuditEntry)]
    assert entries == [
        ("made a token", place.pseudonym("ada")),
        ("revoked a token", place.pseudonym("ada")),
    ]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param({"label": " "}, "Name: a name of up to", id="no name"),
        pytest.param({"label": "a\nb"}, "Name: a name of up to", id="two lines"),
        pytest.param({"run": "other"}, "Run: choose a run", id="another run"),
        pytest.param({"verbs": []}, "choose at least one", id="no verb"),
        pytest.param({"verbs": ["grade"]}, "choose at least one", id="unknown verb"),
        pytest.param({"days": "0"}, "&#39;0&#39; is not a number from 1 to 30", id="no day"),
        pytest.param({"days": "31"}, "&#39;31&#39; is not a number from 1 to 30", id="too long"),
        pytest.param({"days": "x"}, "&#39;x&#39; is not a number", id="no number"),
    ],
)
def test_a_faulty_form_makes_nothing(place: Any, wrong: dict[str, Any], sentence: str) -> None:
    answer = place.browser("ada").post(TOKENS, data={**GOOD, **wrong})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert rows(place) == []


def test_all_faults_of_a_form_come_at_once(place: Any) -> None:
    page = place.browser("ada").post(TOKENS, data={}).text

    assert page.count("<li>") >= 4


def test_a_name_is_text_and_nothing_else(place: Any) -> None:
    place.browser("ada").post(TOKENS, data={**GOOD, "label": "<script>x</script>"})

    assert "<script>x" not in place.browser("ada").get(TOKENS).text


def test_a_token_is_revoked_by_its_owner_alone(place: Any) -> None:
    made(place)

    assert place.browser("bea").post(f"{TOKENS}/1/revoke").status_code == 404
    assert rows(place)[0].revoked_at is None
    assert place.browser("ada").post(f"{TOKENS}/1/revoke").status_code == 303
    assert rows(place)[0].revoked_at is not None
    assert "revoked" in place.browser("ada").get(TOKENS).text


def test_programs_of_who_lacks_a_second_factor_do_nothing(place: Any) -> None:
    token, key = made(place), "a" * 64
    place.app.dependency_overrides.clear()
    site = replace(place.site, grader_token_sha256=key)
    asks = site.settings.sign_in.model_copy(update={"second_factor_roles": ("instructor",)})
    strict = replace(site, settings=site.settings.model_copy(update={"sign_in": asks}))
    calls = {
        "exchange/v1/runs/spring/assignments": token,
        "api/v1/formgrader/instructors/ada": run_token(key, "spring", site.clock()),
    }

    def answers(now: Any) -> list[int]:
        place.app.state.site, client = now, place.browser("ada")
        said = {path: {"Authorization": f"Bearer {given}"} for path, given in calls.items()}
        found = [client.get(CAMPUS_PREFIX + path, headers=head) for path, head in said.items()]
        return [answer.status_code for answer in found]

    assert answers(site) == [200, 204]
    assert answers(strict) == [403, 403]
