"""Hand in without a browser: what a lab sends, sent by a program with a lab's token."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from bioskills_http import eventually, rest
from bioskills_product import Product

from bioskills.base.wire import LAB_SCOPE, VERSION_HEADER

RUN = "demo-sequences-first-steps"
GRADED_S = 240

Notebook = dict[str, Any]


@dataclass
class HandIns:
    """The hand-ins of one learner.

    Attributes:
        product: The installation.
        name: The learner's user name.
        run: The run's slug.
    """

    product: Product
    name: str
    run: str = RUN

    @cached_property
    def token(self) -> str:
        """A token with the rights of this learner's lab."""
        rest(self.product, "POST", f"users/{self.name}")
        wish = {"scopes": [LAB_SCOPE], "note": "tests"}
        made = rest(self.product, "POST", f"users/{self.name}/tokens", json=wish)
        return str(made.raise_for_status().json()["token"])

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the campus as the lab does."""
        port = self.product.environ["BIOSKILLS_NETWORK_CAMPUS_PORT"]
        url = f"http://127.0.0.1:{port}/services/campus/exchange/v1/runs/{self.run}/{path}"
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return httpx.request(
            method, url, headers=headers, trust_env=False, timeout=60, **options
        ).raise_for_status()

    def released(self, assignment: str) -> tuple[str, dict[str, bytes]]:
        """Return the version of a release and its files."""
        answer = self.call("GET", f"assignments/{assignment}/release")
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            files = {e.name: tar.extractfile(e).read() for e in tar if e.isreg()}  # type: ignore[union-attr]  # regular files
        return answer.headers[VERSION_HEADER], files

    def hand_in(
        self,
        assignment: str,
        change: Callable[[Notebook], None] = lambda _book: None,
        more: Mapping[str, bytes] | None = None,
    ) -> int:
        """Hand in the release, its notebook changed, with more files; return the hand-in's number."""
        version, files = self.released(assignment)
        name = f"{assignment}.ipynb"
        book = json.loads(files[name])
        change(book)
        whole = {**files, name: json.dumps(book).encode(), **(more or {})}
        answer = self.call(
            "POST",
            f"assignments/{assignment}/submissions",
            content=_tar(whole),
            headers={VERSION_HEADER: version, "Content-Type": "application/x-tar"},
        )
        return int(answer.json()["submission_id"])

    def graded(self, assignment: str) -> bool:
        """Wait until the newest hand-in has a result."""
        return bool(eventually(lambda: self._state(assignment) in DONE, GRADED_S, 0.5))

    def _state(self, assignment: str) -> str:
        found = self.call("GET", f"assignments/{assignment}/submissions").json()
        return str(found["submissions"][0]["state"])


DONE = {"published", "preliminary", "needs_person"}


def _tar(files: Mapping[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return body.getvalue()
