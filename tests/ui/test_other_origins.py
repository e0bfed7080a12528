"""A page that somebody planted on a lab can neither read the campus nor change it (law 7).

The labs and the campus are different origins of one site, so cookies travel:
what holds is the origin check, the token of each form, and the headers.
"""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from bioskills_browser import RUN, open_lab
from bioskills_tests import sign_in
from playwright.sync_api import expect

from bioskills.base.places import places_of
from bioskills.base.settings import Settings
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app

pytestmark = [pytest.mark.ui, pytest.mark.integration]

SCRIPT = (Path(__file__).parent / "planted.js").read_text()
MOST_TRIED = 40
CHANGEABLE = ("assignment", "extension", "api_token", "membership", "submission", "result", "run")
SAFE = {"GET", "HEAD", "OPTIONS"}


def state_of(product) -> dict[str, list[tuple]]:
    """Return all that a form could change, and who signed in or did something."""
    file = product.data / "state/db/bioskills.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return {
            table: database.execute(f"select * from {table} order by 1").fetchall()
            for table in (*CHANGEABLE, "web_session", "audit_entry")
        }


def attack_call(product) -> str:
    return f"attack({json.dumps(product.campus)}, {json.dumps(RUN)})"


def planted_page(product) -> str:
    keep = "document.title = 'done'; document.body.dataset.loot = JSON.stringify(loot)"
    return (
        "<!doctype html><html lang=en><title>a nice page</title><body><h1>Look at my plot</h1>"
        f"<script>{SCRIPT}\n{attack_call(product)}.then(loot => {{ {keep} }})</script>"
    )


def plant(page, name: str, path: str, text: str) -> None:
    """Save a file in the lab as its owner does, through the lab's own server."""
    status = page.evaluate(
        """async ([name, path, text]) => {
            const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
            const answer = await fetch(`/user/${name}/api/contents/${path}`, {
                method: 'PUT', headers: {'X-XSRFToken': xsrf, 'Content-Type': 'application/json'},
                body: JSON.stringify({type: 'file', format: 'text', content: text})});
            return answer.status;
        }""",
        [name, path, text],
    )
    assert status in {200, 201}


def lab_address(product, name: str, path: str) -> str:
    return f"http://{name}.hub.localhost:{product.port}/user/{name}/{path}"


def campus_window(context, product, name: str):
    page = context.new_page()
    page.goto(f"{product.campus}courses")
    expect(page.get_by_role("heading", name="Courses", level=1)).to_be_visible()
    return page


def assert_in_vain(product, loot: dict, before: dict) -> None:
    assert len(loot["tried"]) > MOST_TRIED
    assert loot["read"] == []
    assert state_of(product) == before


def test_an_instructor_cannot_even_open_a_learners_server(product, new_context, picture):
    learner = open_lab(new_context(), product, "lea")
    plant(learner, "lea", "evil.html", planted_page(product))
    teacher = new_context().new_page()
    sign_in(teacher, product, "ina", product.campus)
    teacher.wait_for_url("**/services/campus/**")
    before = state_of(product)
    answer = teacher.goto(lab_address(product, "lea", "files/evil.html"))

    assert answer.status == 403
    assert "Look at my plot" not in teacher.content()
    picture(teacher, "origin-1-instructor-at-learners-server")
    assert state_of(product) == before


def test_a_page_planted_on_the_instructors_own_server_reads_and_changes_nothing(
    product, new_context, picture
):
    context = new_context()
    lab = open_instructors_lab(context, product)
    campus = campus_window(context, product, "ina")
    plant(lab, "ina", "evil.html", planted_page(product))
    before = state_of(product)
    page = context.new_page()
    page.goto(lab_address(product, "ina", "files/evil.html"))
    page.wait_for_function("document.title === 'done'", timeout=120_000)

    assert_in_vain(product, json.loads(page.locator("body").get_attribute("data-loot")), before)
    picture(page, "origin-2-planted-file")
    campus.reload()
    expect(campus.get_by_role("heading", name="Courses", level=1)).to_be_visible()


def open_instructors_lab(context, product):
    """Open the instructor's own lab: one click from the campus."""
    page = context.new_page()
    sign_in(page, product, "ina", product.campus)
    page.get_by_role("link", name="My lab").click()
    page.locator(".bsh-lab h1").wait_for(timeout=120_000)
    page.goto(lab_address(product, "ina", "lab?reset"))  # no tab of an earlier visit
    page.get_by_role("button", name="Python 3 (course)").first.wait_for()
    return page


def run_in_notebook(page, source: str, ends: str) -> str:
    """Run code in a new notebook of the lab as a person does; return what it printed."""
    page.locator(".jp-LauncherCard").filter(has_text="Python 3").first.click()
    expect(page.get_by_text("Python 3 (course) | Idle")).to_be_visible()
    page.locator(".jp-Notebook:visible .cm-content").first.click()
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")
    output = page.locator(".jp-Notebook:visible .jp-OutputArea-output").filter(has_text=ends)
    output.first.wait_for(timeout=120_000)
    return output.first.inner_text()


def test_a_script_in_a_notebooks_output_reads_and_changes_nothing(product, new_context, picture):
    context = new_context()
    lab = open_instructors_lab(context, product)
    campus_window(context, product, "ina")
    before = state_of(product)
    put = "document.body.append(Object.assign(document.createElement('p'), {id: 'loot', textContent: JSON.stringify(loot)}))"
    script = f"{SCRIPT}\n{attack_call(product)}.then(loot => {{ {put} }})"
    source = (
        "from IPython.display import Javascript, display\n"
        f"display(Javascript({script!r}))\nprint('shown')"
    )
    run_in_notebook(lab, source, "shown")
    loot = lab.locator("#loot")
    loot.wait_for(state="attached", timeout=120_000)

    assert_in_vain(product, json.loads(loot.text_content()), before)
    picture(lab, "origin-3-notebook-output")


def every_unsafe_route(tmp_path: Path, product) -> list[tuple[str, str]]:
    """Return method and path of every route of the campus that changes something."""
    places = places_of(settings := Settings.model_validate({"paths": {"data_dir": str(tmp_path)}}))
    places.campus.mkdir(parents=True, mode=0o700)
    places.database.mkdir(parents=True, mode=0o700)
    for name in ("hub_token", "grader_token"):
        (places.campus / name).write_text("x")
        (places.campus / name).chmod(0o600)
    site = make_site(settings)
    app = create_app(site)
    site.store.close()
    site.hub.close()
    return [
        (method, filled(route.path))
        for route in all_routes(app)
        for method in sorted((getattr(route, "methods", None) or set()) - SAFE)
    ]


def all_routes(app):
    for route in app.routes:
        # An included router keeps its routes to itself and says what they amount to.
        amounts = getattr(route, "effective_route_contexts", None)
        yield from amounts() if amounts else [route]


def filled(path: str) -> str:
    known = {"run": RUN, "slug": RUN, "name": "p1", "assignment": "p1", "cohort": "demo"}
    return re.sub(r"{(\w+)[^}]*}", lambda found: known.get(found[1], "1"), path)


CALLS = """
import json, os, urllib.error, urllib.request
from urllib.parse import urlsplit
routes, public, origin = json.loads('''%s''')
api = os.environ["BIOSKILLS_CAMPUS_API"]
base = "{0.scheme}://{0.netloc}".format(urlsplit(api))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
answers = []
for method, path in routes:
    head = {"Authorization": "Bearer " + os.environ["JUPYTERHUB_API_TOKEN"]}
    if "/api/" not in path and "/exchange/" not in path:
        head |= {"Host": public, "Origin": origin}
    ask = urllib.request.Request(base + path, data=b"", method=method, headers=head)
    try:
        answers.append([method, path, opener.open(ask, timeout=30).status])
    except urllib.error.HTTPError as error:
        answers.append([method, path, error.code])
print("ANSWERS" + json.dumps(answers) + "END")
"""


def test_code_in_an_instructors_kernel_changes_nothing_with_the_labs_token(
    product, new_context, tmp_path
):
    handing_in = ("POST", f"/services/campus/exchange/v1/runs/{RUN}/assignments/p1/submissions")
    routes = every_unsafe_route(tmp_path, product)
    assert handing_in in routes
    routes.remove(handing_in)
    context = new_context()
    lab = open_instructors_lab(context, product)
    before = state_of(product)
    host = product.campus.split("/")[2]
    called = CALLS % json.dumps([routes, host, f"http://{host}"])
    printed = run_in_notebook(lab, called, "END")
    answers = json.loads(re.search("ANSWERS(.*)END", printed, re.DOTALL)[1])

    assert len(answers) == len(routes) > 8
    assert {status for _method, _path, status in answers} == {403}, answers
    assert state_of(product) == before
