"""Two cohorts with every role once, their tokens and their work: who the roles' matrix asks as.

Everything is made by the real doors: cohort files, sign-in, hand-in, the token page. The
two roles that a cohort file gives on the platform alone are put into a cohort by hand.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from bioskills_cohorts import bring_in, cohort_text
from bioskills_handins import HandIns
from bioskills_http import rest, server_of, sign_in, start_lab_of, visitor
from bioskills_product import Product
from bioskills_tests import COURSE
from bioskills_waiting import eventually

from bioskills.base.run_tokens import run_token
from bioskills.base.tables import PLATFORM, now
from bioskills.courses.package import canonical_zip, read_course
from bioskills.hub.campus.headers import is_for_programs
from bioskills.hub.membership import Seat

COHORTS = ("red", "blue")
ROLES = {
    "lea": "learner",
    "mo": "learner",
    "ina": "instructor",
    "ash": "assessor",
    "cer": "certifier",
    "man": "manager",
    "fun": "funder",
    "adm": "admin",
}
"""People of each cohort by the end of their name; *lea* handed in, *mo* sits beside her."""
BY_HAND = ("man", "adm")
SERVING = {"ada": "admin", "max": "manager"}
"""The demo's people of the platform."""
WORK = "p1"
SPARE = "spare"
"""A cohort that nobody of these is in: an admin's forms really end it."""
OURS = "bioskills/"
"""Our own handlers at the hub, which are no part of its API."""
STATIC = {"static": "static/campus.css", "static/hub": "static/hub/css/style.min.css"}
"""A file below each folder that is served."""


@dataclass
class Things:
    """What addresses about one cohort name."""

    cohort: str
    pseudonym: str = ""
    submission_id: int = 0
    job_id: int = 0
    token_id: int = 0
    named_token: str = ""
    message: int = 0
    upload: int = 0
    key: str = ""

    @property
    def run(self) -> str:
        """The cohort's run."""
        return f"{self.cohort}-run"

    def path(self, pattern: str) -> str:
        """Return an address of this cohort, after the pattern of its route."""
        name = WORK
        if "instructors/" in pattern:
            name = f"{self.cohort}-ina"
        if "labs/" in pattern:
            name = f"{self.cohort}-lea"
        values: dict[str, Any] = {**vars(self), "run": self.run, "name": name, "assignment": WORK}
        values |= {"learner": self.pseudonym, "slug": SPARE, "verb": "join"}
        course, version = "sequences-first-steps", "0.1.99"
        pattern = STATIC.get(pattern, pattern)
        return pattern.format(**values, course=course, version=version)


@dataclass
class Persona:
    """One person with a browser."""

    name: str
    seat: Seat | None
    browser: httpx.Client
    csrf: str = ""
    token: str = ""

    @property
    def seats(self) -> list[Seat]:
        """What the person holds."""
        return [self.seat] if self.seat else []


@dataclass
class Cast:
    """Everybody, and what there is to open."""

    product: Product
    things: dict[str, Things] = field(default_factory=dict)
    people: dict[str, Persona] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The origin that forms of the campus come from."""
        return self.product.campus.partition("/services/")[0]

    def ask(self, who: Persona, method: str, path: str) -> httpx.Response:
        """Ask the campus as this person's browser does; forms carry the session's token."""
        options: dict[str, Any] = {}
        if method != "GET":
            options = {"data": {"_csrf": who.csrf}, "headers": {"Origin": self.origin}}
        address = self.origin + "/services/campus" if path == ".." else self.product.campus + path
        return who.browser.request(method, address, follow_redirects=False, **options)

    def call(self, token: str, method: str, path: str) -> httpx.Response:
        """Call the campus as a program does."""
        port = self.product.environ["BIOSKILLS_NETWORK_CAMPUS_PORT"]
        address = f"http://127.0.0.1:{port}/services/campus"
        address = address if path == ".." else f"{address}/{path}"
        headers = {"Authorization": f"Bearer {token}"}
        if not is_for_programs(f"/services/campus/{path}"):
            headers["Host"] = self.origin.partition("//")[2]
        return httpx.request(method, address, headers=headers, trust_env=False, timeout=60)

    def hub(self, who: Persona, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the hub's REST API with everything that this person may do."""
        port = self.product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
        headers = {"Authorization": f"token {who.token}"} if who.token else {}
        url = f"http://127.0.0.1:{port}/hub/{'' if path.startswith(OURS) else 'api/'}{path}"
        return httpx.request(method, url, headers=headers, trust_env=False, timeout=60, **options)

    def lab_runs(self, cohort: str) -> bool:
        """Start the lab of a cohort's learner where it does not run; wait until it answers."""
        name = f"{cohort}-lea"
        settled = eventually(lambda: not server_of(self.product, name).get("pending"))
        if settled and not server_of(self.product, name):
            rest(self.product, "POST", f"users/{name}/server")
        return bool(eventually(lambda: server_of(self.product, name).get("ready")))

    def programs(self) -> dict[str, tuple[str, str, str]]:
        """Return every kind of token: its kind, the cohort it belongs to, the token."""
        grader = (self.product.data / "state/grader/campus_token").read_text().strip()
        found = {"grader": ("grader", "", grader)}
        for cohort, things in self.things.items():
            run = run_token(_sha256(grader), things.run, now())
            found |= {
                f"{cohort} lab": ("lab", cohort, _lab_token(self.product, f"{cohort}-lea")),
                f"{cohort} lab of ina": ("", cohort, _lab_token(self.product, f"{cohort}-ina")),
                f"{cohort} token": ("instructor", cohort, things.named_token),
                f"{cohort} formgrader": ("formgrader", cohort, run),
            }
        return found


@contextmanager
def cast_of(product: Product) -> Iterator[Cast]:
    """Bring everybody in, let them sign in once, and let one learner of each cohort work."""
    spare = cohort_text(SPARE, {"sven": "learner"}, runs=False)
    bring_in(product, *(_file(cohort) for cohort in COHORTS), spare)
    with sqlite_of(product) as database:
        for cohort, name in ((c, n) for c in COHORTS for n in BY_HAND):
            _seat_by_hand(database, f"{cohort}-{name}", ROLES[name])
    cast = Cast(product)
    with ExitStack() as opened:
        for name, seat in seats_of_all().items():
            cast.people[name] = _signed_in(product, name, seat, opened.enter_context(visitor()))
        cast.people["nobody"] = Persona("nobody", None, opened.enter_context(visitor()))
        for cohort in COHORTS:
            cast.things[cohort] = _work_of(cast, cohort)
        yield cast


def seats_of_all() -> dict[str, Seat]:
    """Return the seat of each person by name."""
    own = {f"{c}-{n}": Seat(c, role) for c in COHORTS for n, role in ROLES.items()}
    return own | {name: Seat(PLATFORM, role) for name, role in SERVING.items()}


@contextmanager
def sqlite_of(product: Product) -> Iterator[sqlite3.Connection]:
    """Open the product's own database."""
    file = product.data / "state/db/bioskills.sqlite"
    with closing(sqlite3.connect(file, timeout=60)) as database:
        yield database
        database.commit()


def _file(cohort: str) -> str:
    roles = {n: "funder" if n in BY_HAND else role for n, role in ROLES.items()}
    return cohort_text(cohort, {f"{cohort}-{n}": role for n, role in roles.items()}, runs=True)


def _seat_by_hand(database: sqlite3.Connection, name: str, role: str) -> None:
    changed = database.execute(
        "update membership set role = ? where person_id = (select id from person where name = ?)",
        (role, name),
    )
    assert changed.rowcount == 1, name


def _signed_in(product: Product, name: str, seat: Seat, browser: httpx.Client) -> Persona:
    assert sign_in(browser, product, name), name
    page = browser.get(f"{product.campus}passport").raise_for_status().text
    csrf = re.search(r'name="_csrf" value="([^"]+)"', page)
    assert csrf, page
    made = rest(product, "POST", f"users/{name}/tokens", json={"note": "the matrix"})
    return Persona(name, seat, browser, csrf[1], made.raise_for_status().json()["token"])


def _work_of(cast: Cast, cohort: str) -> Things:
    """Let the cohort's learner start a lab and hand in; return what came of it."""
    product, teacher = cast.product, cast.people[f"{cohort}-ina"]
    start_lab_of(product, f"{cohort}-lea")
    work = HandIns(product, f"{cohort}-lea", f"{cohort}-run")
    assert eventually(lambda: work.call("GET", f"assignments/{WORK}/release").is_success)
    things = Things(cohort, submission_id=work.hand_in(WORK))
    assert work.graded(WORK)
    with sqlite_of(product) as database:
        things.pseudonym = _one(database, "select pseudonym from person where name = ?", work.name)
        chosen = "select {} from {} where submission_id = ?"
        result = _one(database, chosen.format("id", "result"), things.submission_id)
        things.job_id = _one(database, chosen.format("id", "job"), things.submission_id)
    things.named_token = _make_token(cast, teacher, things.run)
    _make_token(cast, teacher, things.run)
    with sqlite_of(product) as database:
        things.token_id = _one(
            database,
            "select max(api_token.id) from api_token join person on person.id = person_id where name = ?",
            teacher.name,
        )
    _return(cast, teacher, things, result)
    _write_message(cast, teacher, things)
    _upload_both(cast, teacher, things)
    return things


def _one(database: sqlite3.Connection, query: str, value: object) -> Any:
    return database.execute(query, (value,)).fetchone()[0]


def _post(cast: Cast, who: Persona, path: str, data: dict[str, object]) -> httpx.Response:
    headers = {"Origin": cast.origin}
    return who.browser.post(
        cast.product.campus + path, data={"_csrf": who.csrf, **data}, headers=headers
    ).raise_for_status()


def _make_token(cast: Cast, who: Persona, run: str) -> str:
    verbs = ["list", "release", "collect", "feedback"]
    wish = {"label": "matrix", "run": run, "verbs": verbs, "days": "3"}
    found = re.search(r'value="(bsh_[^"]+)"', _post(cast, who, "tokens", wish).text)
    assert found
    return found[1]


def _return(cast: Cast, teacher: Persona, things: Things, result: int) -> None:
    _post(cast, teacher, things.path("runs/{run}/assignments/{name}/return"), {"result": [result]})
    pages = HandIns(cast.product, teacher.name, things.run)
    pages.token = things.named_token
    pages.call(
        "PUT",
        f"submissions/{things.submission_id}/feedback-html",
        content=_page_tar(),
        headers={"Content-Type": "application/x-tar"},
    )


def _write_message(cast: Cast, teacher: Persona, things: Things) -> None:
    day = (now() + timedelta(days=3)).date().isoformat()
    wish = {"text": "Room 12", "end_date": day, "end_time": "18:00"}
    _post(cast, teacher, things.path("cohorts/{cohort}/messages"), wish)
    with sqlite_of(cast.product) as database:
        newest = (
            "select max(id) from notice where by = (select pseudonym from person where name = ?)"
        )
        things.message = _one(database, newest, teacher.name)


def _upload_both(cast: Cast, teacher: Persona, things: Things) -> None:
    """Let the instructor upload a course, and the admin a list of people."""
    sent = {"course": ("course.zip", canonical_zip(read_course(COURSE)), "application/zip")}
    course = _sent_to(cast, teacher, "course-versions/uploads", sent)
    things.upload = int(course.rsplit("/", 1)[1])
    content = cohort_text(SPARE, {"sven": "learner"}, runs=False).encode()
    people = {"file": ("spare.toml", content, "text/plain")}
    things.key = _sent_to(cast, cast.people["ada"], "people/upload", people).rsplit("/", 1)[1]


def _sent_to(cast: Cast, who: Persona, path: str, files: Any) -> str:
    answer = who.browser.post(
        cast.product.campus + path,
        data={"_csrf": who.csrf},
        files=files,
        headers={"Origin": cast.origin},
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def _page_tar() -> bytes:
    from bioskills_handins import _tar  # noqa: PLC0415 - its packing, for one page

    return _tar({"p1.html": b"<p>Well done.</p>"})


def _lab_token(product: Product, name: str) -> str:
    return HandIns(product, name).token


def _sha256(text: str) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(text.encode()).hexdigest()
