"""Pages keep to the policy: nothing inline, every form with its token, refusals in words."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bioskills.base.places import database_url, places_of
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app, static_url
from bioskills.hub.campus.headers import content_policy
from bioskills.hub.campus.site import TEMPLATES, Refused, Site

INLINE = [r"<style", r"\sstyle\s*=", r"<script(?![^>]*\ssrc=)", r"\son[a-z]+\s*=", r"javascript:"]
OUTSIDE = r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = Settings.model_validate(
        {"paths": {"data_dir": str(tmp_path)}, "site": {"help_contact": "help@example.org"}}
    )
    places = places_of(settings)
    for folder in (places.campus, places.database):
        folder.mkdir(parents=True)
    for name in ("hub_token", "grader_token"):
        (places.campus / name).write_text("0123456789abcdef")
        (places.campus / name).chmod(0o600)
    ensure_schema(database_url(settings))
    made = make_site(settings)
    yield made
    made.store.close()
    made.hub.close()


async def ask(app: FastAPI, path: str, **options: object) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=app.state.site.origin) as client:
        return await client.get(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
@pytest.mark.parametrize("forbidden", [*INLINE, OUTSIDE])
def test_no_template_holds_anything_inline_or_from_elsewhere(
    template: Path, forbidden: str
) -> None:
    text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert re.findall(forbidden, text, re.IGNORECASE) == []


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_the_token(template: Path) -> None:
    forms = re.findall(
        r"<form[^>]*method=.post.[^>]*>(.*?)</form>",
        template.read_text(encoding="utf-8"),
        re.DOTALL | re.IGNORECASE,
    )

    assert [form for form in forms if "csrf_field" not in form] == []


async def test_an_unknown_page_says_so_in_words(site: Site) -> None:
    answer = await ask(create_app(site), "/services/campus/nothing")

    assert answer.status_code == 404
    assert "There is no such page here." in answer.text
    assert 'href="mailto:help@example.org"' in answer.text


@pytest.mark.parametrize(("asked", "said"), [("de-AT,en;q=0.5", "de"), ("fr, en", "en")])
async def test_a_page_says_its_language_to_browsers_and_to_people(
    site: Site, asked: str, said: str
) -> None:
    app = create_app(site)

    for path in ("accessibility", "nonsense"):
        page = await ask(app, f"{site.prefix}{path}", headers={"Accept-Language": asked})
        assert page.headers["Content-Language"] == said
        assert f'<html lang="{said}"' in page.text


async def test_a_refusal_is_escaped(site: Site) -> None:
    app = create_app(site)

    @app.get("/services/campus/late")
    def late() -> None:
        raise Refused(409, "late", "<script>x</script> came late.", "Ask.", retry_after_s=7)

    answer = await ask(app, "/services/campus/late")

    assert answer.status_code == 409
    assert answer.headers["retry-after"] == "7"
    assert "&lt;script&gt;x&lt;/script&gt; came late." in answer.text


async def test_a_fault_of_ours_shows_an_id_and_no_trace(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(site)

    @app.get("/services/campus/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    answer = await ask(app, "/services/campus/broken")

    quoted = re.search(r"id ([0-9a-f]{8})", answer.text)
    assert answer.status_code == 500
    assert quoted
    assert quoted[1] in caplog.text
    assert "secret detail" not in answer.text
    assert answer.headers["content-security-policy"] == content_policy(site.settings)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_program_reads_a_refusal_as_json(site: Site) -> None:
    answer = await ask(create_app(site), "/services/campus/api/v1/nothing")

    assert answer.json()["error"] == "not_found"


@pytest.mark.parametrize("path", ["hub/css/style.min.css", "campus.css", "theme.js", "logo.svg"])
async def test_static_files_come_from_here_under_a_name_of_their_content(
    site: Site, path: str
) -> None:
    answer = await ask(create_app(site), static_url(path))

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


async def test_the_campus_without_its_slash_leads_to_the_first_page(site: Site) -> None:
    answer = await ask(create_app(site), "/services/campus")

    assert answer.headers["location"] == "/services/campus/"


async def test_who_is_not_signed_in_goes_to_sign_in_and_back(site: Site) -> None:
    answer = await ask(create_app(site), "/services/campus/passport?x=1%2F2")

    assert answer.status_code == 303
    assert (
        answer.headers["location"]
        == "/services/campus/sign-in?next=%2Fservices%2Fcampus%2Fpassport%3Fx%3D1%252F2"
    )


async def test_health_needs_no_sign_in(site: Site) -> None:
    app = create_app(replace(site))

    assert (await ask(app, "/services/campus/healthz")).json() == {"status": "ok"}
