"""Speak to the campus as the owner of one token.

Law: the token goes to the configured address alone and into no message. Trees are
streamed to and from disk. Whatever goes wrong is one sentence with the next step.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Self, TypeVar, cast

import httpx

from bioskills.base.text import _
from bioskills.base.wire import (
    TAR,
    VERSION_HEADER,
    AssignmentList,
    Feedback,
    Receipt,
    Refusal,
    ReleaseResult,
    RunList,
    SubmissionList,
    Wire,
)

URL_VARIABLE = "BIOSKILLS_CAMPUS_URL"
TOKEN_VARIABLE = "BIOSKILLS_TOKEN"  # noqa: S105 - a variable's name
LAB_VARIABLE = "JUPYTERHUB_API_TOKEN"
TIMEOUT = httpx.Timeout(120.0, connect=10.0)
CHUNK = 64 * 1024

M = TypeVar("M", bound=Wire)


class CampusError(Exception):
    """The campus cannot be reached, or refused; the text is for a person.

    Attributes:
        status: HTTP status; 0 where there was no answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Address:
    """Where the campus is and who we are there."""

    url: str
    token: str

    @classmethod
    def of(cls, *, staff: bool, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the address for a learner's or an instructor's step.

        Args:
            staff: Prefer the token made on the campus page; a lab's may do no such step.
            environ: Where address and tokens are read.

        Raises:
            CampusError: Address or token is missing.
        """
        names = (TOKEN_VARIABLE, LAB_VARIABLE) if staff else (LAB_VARIABLE, TOKEN_VARIABLE)
        token = next((environ[name] for name in names if environ.get(name)), "")
        url = environ.get(URL_VARIABLE, "")
        if not url or not token:
            text = _(
                "{missing} is not set, so the campus cannot be asked. In a JupyterLab of the hub it "
                "is set for you; elsewhere, make a token on the campus page Tokens and copy both "
                "lines that it shows."
            )
            raise CampusError(text.format(missing=TOKEN_VARIABLE if url else URL_VARIABLE))
        return cls(url.rstrip("/") + "/", token)


class Campus:
    """The exchange's part of the campus."""

    def __init__(self, address: Address) -> None:
        self._http = httpx.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {address.token}"},
            timeout=TIMEOUT,
            # A proxy of the environment must not see tokens.
            trust_env=False,
        )
        self._url = address.url

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def runs(self) -> list[str]:
        """Return the slugs of the runs we may use."""
        return self._get(RunList, "exchange/v1/runs").runs

    def assignments(self, run: str) -> AssignmentList:
        """Return the assignments of a run."""
        return self._get(AssignmentList, f"exchange/v1/runs/{run}/assignments")

    def submissions(self, run: str, name: str) -> SubmissionList:
        """Return the hand-ins that we may see, newest first."""
        url = f"exchange/v1/runs/{run}/assignments/{name}/submissions"
        return self._get(SubmissionList, url)

    @contextmanager
    def release(self, run: str, name: str) -> Iterator[tuple[BinaryIO, int]]:
        """Yield the released tree as a tar file, and its version."""
        url = f"exchange/v1/runs/{run}/assignments/{name}/release"
        with self._downloaded(url) as (file, headers):
            yield file, int(headers.get(VERSION_HEADER, "0"))

    @contextmanager
    def submission(self, run: str, submission_id: int) -> Iterator[BinaryIO]:
        """Yield a hand-in as a tar file."""
        url = f"exchange/v1/runs/{run}/submissions/{submission_id}/files"
        with self._downloaded(url) as (file, _headers):
            yield file

    @contextmanager
    def feedback_pages(self, run: str, submission_id: int) -> Iterator[BinaryIO]:
        """Yield the feedback pages that nbgrader made, as a tar file."""
        with self._downloaded(_pages(run, submission_id)) as (file, _headers):
            yield file

    def feedback(self, submission_id: int) -> Feedback:
        """Return our own feedback on a hand-in."""
        return self._get(Feedback, f"api/v1/lab/feedback/{submission_id}")

    def hand_in(self, run: str, name: str, tree: BinaryIO, version: int | None) -> Receipt:
        """Hand in a tar file and return the receipt."""
        url = f"exchange/v1/runs/{run}/assignments/{name}/submissions"
        headers = {} if version is None else {VERSION_HEADER: str(version)}
        return self._read(Receipt, self._upload("POST", url, tree, headers))

    def put_release(self, run: str, name: str, tree: BinaryIO) -> ReleaseResult:
        """Release a tar file."""
        url = f"exchange/v1/runs/{run}/assignments/{name}/release"
        return self._read(ReleaseResult, self._upload("PUT", url, tree))

    def put_feedback_pages(self, run: str, submission_id: int, tree: BinaryIO) -> None:
        """Return nbgrader's feedback pages to a learner."""
        self._upload("PUT", _pages(run, submission_id), tree)

    def _get(self, model: type[M], url: str) -> M:
        return self._read(model, self._ask("GET", url))

    def _read(self, model: type[M], answer: httpx.Response) -> M:
        try:
            return model.model_validate_json(answer.text)
        except ValueError as error:
            text = _("The campus at {url} gave an answer that is not understood. Check {name}.")
            raise CampusError(text.format(url=self._url, name=URL_VARIABLE)) from error

    def _ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        with self._explained():
            return _checked(self._http.request(method, url, **options))

    def _upload(
        self, method: str, url: str, tree: BinaryIO, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        size = tree.seek(0, os.SEEK_END)
        tree.seek(0)
        sent = {"Content-Type": TAR, "Content-Length": str(size), **(headers or {})}
        return self._ask(method, url, content=_chunks(tree), headers=sent)

    @contextmanager
    def _downloaded(self, url: str) -> Iterator[tuple[BinaryIO, httpx.Headers]]:
        with tempfile.TemporaryFile() as file:
            with self._explained(), self._http.stream("GET", url) as answer:
                if answer.is_error:
                    answer.read()
                headers = _checked(answer).headers
                for chunk in answer.iter_bytes(CHUNK):
                    file.write(chunk)
            file.seek(0)
            yield cast("BinaryIO", file), headers

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            text = _("The campus at {url} did not answer in time. Try again in a minute.")
            raise CampusError(text.format(url=self._url)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = _(
                "The campus at {url} cannot be reached ({reason}). Check {name}, then try again."
            )
            reason = str(error) or type(error).__name__
            raise CampusError(
                text.format(url=self._url, reason=reason, name=URL_VARIABLE)
            ) from error


def _pages(run: str, submission_id: int) -> str:
    return f"exchange/v1/runs/{run}/submissions/{submission_id}/feedback-html"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    yield from iter(lambda: file.read(CHUNK), b"")


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_error:
        return answer
    try:
        refusal = Refusal.model_validate_json(answer.text)
    except ValueError:
        text = _("The campus answered {status}. Check {name}.")
        message = text.format(status=answer.status_code, name=URL_VARIABLE)
        raise CampusError(message, answer.status_code) from None
    words = " ".join(part for part in (refusal.message, refusal.next) if part)
    raise CampusError(words, answer.status_code)
