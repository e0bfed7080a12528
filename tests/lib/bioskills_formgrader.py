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
from bioskills_http import eventually, rest, sign_in, visitor
from bioskills_product import Product


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
        """Go through the door and wait for the first page."""
        self.client.get(self.door)
        return eventually(self._first_page)

    def _first_page(self) -> httpx.Response | None:
        answer = self.get("formgrader")
        arrived = "/formgrader/manage_assignments" in str(answer.url)
        return answer if arrived and answer.is_success else None

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Load a page as a browser that goes there."""
        return self.client.get(self.base + path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call as the page's own script does."""
        return self.client.request(
            method, self.base + path, headers={"X-CSRFToken": self._xsrf()}, **options
        )

    def _xsrf(self) -> str:
        jar = self.client.cookies.jar
        return next(c.value for c in jar if c.name == "_xsrf" and c.domain.startswith("grading-"))

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read the gradebook."""
        with closing(sqlite3.connect(f"file:{self.gradebook}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def results(self) -> list[dict[str, Any]]:
        """Return the cells of every result of the installation, oldest first, by cell."""
        file = self.product.data / "state/db/bioskills.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            rows = database.execute("select cells from result order by id").fetchall()
        return [{cell["cell"]: cell for cell in json.loads(row[0])} for row in rows]

    def page_of(self, notebook: str = "p1") -> str:
        """Return the address of the newest hand-in's page."""
        query = (
            "select s.id from submitted_notebook s join notebook n on n.id = s.notebook_id "
            "where n.name = ? order by s.rowid desc"
        )
        return f"formgrader/submissions/{self.rows(query, notebook)[0][0]}/"

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
