"""A person at a formgrader without a browser."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from bioskills_handins import RUN
from bioskills_http import rest, sign_in, the, visitor
from bioskills_product import Product
from bioskills_waiting import eventually

FIRST = "p-000001"
"""Pseudonym of the first learner of the demo."""


@dataclass
class Formgrader:
    """The formgrader of one run, in one person's hands.

    Attributes:
        product: The installation.
        client: The person's browser.
        run: The run's slug.
    """

    product: Product
    client: httpx.Client
    run: str = RUN

    @property
    def account(self) -> str:
        """The service account's name."""
        return f"grading-{self.run}"

    @property
    def door(self) -> str:
        """The address behind *Open in formgrader*."""
        return f"{self.product.url}/hub/formgrader/{self.run}"

    @property
    def base(self) -> str:
        """The address of its server."""
        host = f"http://{self.account}.hub.localhost:{self.product.port}"
        return f"{host}/user/{self.account}/"

    @property
    def gradebook(self) -> Path:
        """The run's gradebook."""
        return self.product.data / "state/grader/runs" / self.run / "gradebook.db"

    def open(self) -> httpx.Response:
        """Go through the door and wait for the first page; while a server ends, it is closed."""
        self.client.get(self.door)
        found = eventually(lambda: self._first_page() or self._again())
        assert found, f"no page behind {self.door}"
        return found

    def _again(self) -> None:
        server = rest(self.product, "GET", f"users/{self.account}").json().get("servers", {})
        if not server:  # the door was closed when we came
            self.client.get(self.door)

    def _first_page(self) -> httpx.Response | None:
        answer = self.get("formgrader")
        arrived = "/formgrader/manage_assignments" in str(answer.url)
        return answer if arrived and answer.is_success else None

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Load a page as a browser that goes there."""
        return self.client.get(self.base + path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call as the page's own script does."""
        headers = {"X-CSRFToken": self._xsrf(), **options.pop("headers", {})}
        return self.client.request(method, self.base + path, headers=headers, **options)

    def save(self, path: str, body: object, hand_in: str | None = None) -> httpx.Response:
        """Save points or a comment as the page of a hand-in does; the page is loaded for it unless given."""
        shown = self.shown() if hand_in is None else hand_in
        headers = {"X-Bioskills-Hand-In": shown} if shown else {}
        return self.send("PUT", f"formgrader/api/{path}", json=body, headers=headers)

    def shown(self) -> str:
        """Return which hand-in the page of the first learner names."""
        page = self.get(self.page_of(learner=FIRST)).text
        found = re.search(r'data-hand-in="([^"]*)"', page)
        return found[1] if found else ""

    def grades(self) -> list[dict[str, Any]]:
        """Return the graded cells of the first learner's hand-in, as its page gets them."""
        return self._of_page("grades")

    def comments(self) -> list[dict[str, Any]]:
        """Return the comments on the first learner's hand-in, as its page gets them."""
        return self._of_page("comments")

    def _of_page(self, kind: str) -> list[dict[str, Any]]:
        wanted = {"submission_id": self.page_of(learner=FIRST).split("/")[-2]}
        found = self.send("GET", f"formgrader/api/{kind}", params=wanted).json()
        return list(found)

    def campus(self, path: str) -> httpx.Response:
        """Load a page of the campus."""
        return self.client.get(self.product.campus + path)

    def press(self, page: str, action: str) -> httpx.Response:
        """Send a form of a campus page with its hidden fields."""
        shown = self.campus(page).text
        forms = re.findall(r'<form[^>]*action="([^"]+)">(.*?)</form>', shown, re.DOTALL)
        inside = next((inside for place, inside in forms if place.endswith(action)), "")
        assert inside, shown
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', inside)
        data: dict[str, Any] = {}
        for name, value in hidden:
            data.setdefault(name, []).append(value)
        origin = {"Origin": self.product.campus.partition("/services")[0]}
        return self.client.post(self.product.campus + action, data=data, headers=origin)

    def _xsrf(self) -> str:
        jar = self.client.cookies.jar
        return next(c.value for c in jar if c.name == "_xsrf" and c.domain.startswith("grading-"))

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read the gradebook."""
        file = f"file:{self.gradebook}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=60)) as database:
            return database.execute(query, values).fetchall()

    def results(self, learner: str = "") -> list[dict[str, Any]]:
        """Return the cells of every result, or of those of one learner, oldest first, by cell."""
        query = (
            "select r.cells from result r join submission s on s.id = r.submission_id "
            "join person p on p.id = s.person_id where ? in ('', p.pseudonym) order by r.id"
        )
        rows = self.platform(query, learner)
        return [{cell["cell"]: cell for cell in json.loads(row[0])} for row in rows]

    def platform(self, query: str, *values: object) -> list[Any]:
        """Read the platform's database."""
        file = self.product.data / "state/db/bioskills.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def page_of(self, notebook: str = "p1", learner: str = "") -> str:
        """Return the address of a learner's page, or of the newest one."""
        query = (
            "select s.id from submitted_notebook s join notebook n on n.id = s.notebook_id "
            "join submitted_assignment a on a.id = s.assignment_id "
            "where n.name = ? and ? in ('', a.student_id) order by s.rowid desc"
        )
        return f"formgrader/submissions/{self.rows(query, notebook, learner)[0][0]}/"

    @property
    def grader(self) -> int:
        """The installation's grader; it does no work while it is halted."""
        return the(self.product, "bioskills.graders")

    @property
    def pid(self) -> int:
        """The server's process, as the hub knows it; 0 where none runs."""
        found = rest(self.product, "GET", f"users/{self.account}").json()
        server = found.get("servers", {}).get("", {})
        return int((server.get("state") or {}).get("pid", 0))


@contextmanager
def at_formgrader(product: Product, name: str, run: str = RUN) -> Iterator[Formgrader]:
    """Sign a person in; the door was not opened yet."""
    with visitor() as client:
        assert sign_in(client, product, name)
        yield Formgrader(product, client, run)


def scripts_of(page: str) -> list[str]:
    """Return the script tags of a page that carry no nonce."""
    return [tag for tag in re.findall(r"<script[^>]*>", page) if "nonce=" not in tag]
