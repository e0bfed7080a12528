"""Speak to the campus as the grader.

Law: the grader knows the campus by HTTP alone, with its own narrow token; it
never opens the platform's database. Trees are streamed to disk, never held whole.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx

from bioskills.base.wire import (
    TAR,
    Claim,
    GradeResult,
    Job,
    JobFailure,
    JobList,
    JobProgress,
    Refusal,
    ReleaseResult,
    Wire,
)

ANSWER_S, CONNECT_S = 30.0, 5.0
TIMEOUT = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
CHUNK_BYTES = 1 << 16


class CampusRefusedError(Exception):
    """The campus answered, and said no; the text says why."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Campus:
    """The campus's grader routes."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT)

    def claim(self, ask: Claim) -> JobList:
        """Return jobs, leased to us; none where nothing waits as long as was asked."""
        return JobList.model_validate_json(
            self._checked(self._post("jobs/claim", ask, ask.wait_s)).content
        )

    def let_go(self) -> None:
        """Give back every job undone, as this grader ends; none of this counts as a try."""
        self._checked(self._post("jobs/claim", Claim(at_most=0, holding=[])))

    def tell(self, job: int, how: JobProgress) -> None:
        """Say how far a job is; renews its lease."""
        self._checked(self._post(f"jobs/{job}/progress", how))

    def deliver(self, job: Job, result: GradeResult) -> None:
        """Hand over a result, which ends the job. Twice is once."""
        self._checked(self._post(f"jobs/{job.id}/result", result))

    def fail(self, job: Job, message: str, *, at_once: bool = False) -> None:
        """Say that this try failed, in plain words; the campus decides about another."""
        why = JobFailure(message=message, at_once=at_once)
        self._checked(self._post(f"jobs/{job.id}/fail", why))

    def put_back(self, job: Job) -> None:
        """Give a job back undone; this does not count as a try."""
        self._checked(self._http.post(f"api/v1/grader/jobs/{job.id}/put-back"))

    def fetch_course(self, course: str, version: str, target: Path) -> None:
        """Write a course's ZIP to this file."""
        self._download(f"api/v1/grader/courses/{course}/{version}", target)

    def fetch_submission(self, run: str, submission: int, target: Path) -> None:
        """Write a submission's tar to this file."""
        self._download(f"exchange/v1/runs/{run}/submissions/{submission}/files", target)

    def release(self, run: str, assignment: str, tar: Iterator[bytes]) -> ReleaseResult:
        """Release a tree; the same tree again is the same version."""
        url = f"exchange/v1/runs/{run}/assignments/{assignment}/release"
        answer = self._checked(self._http.put(url, content=tar, headers={"Content-Type": TAR}))
        return ReleaseResult.model_validate(answer.json())

    def _post(self, path: str, message: Wire, wait_s: float = 0) -> httpx.Response:
        return self._http.post(
            f"api/v1/grader/{path}",
            content=message.model_dump_json(),
            headers={"Content-Type": "application/json"},
            timeout=httpx.Timeout(ANSWER_S + wait_s, connect=CONNECT_S),
        )

    def _download(self, url: str, target: Path) -> None:
        with self._http.stream("GET", url) as answer:
            if answer.is_error:
                answer.read()
            self._checked(answer)
            with target.open("wb") as file:
                for chunk in answer.iter_bytes(CHUNK_BYTES):
                    file.write(chunk)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if not answer.is_error:
            return answer
        try:
            message = Refusal.model_validate_json(answer.text).message
        except ValueError:
            message = answer.text[:200]
        raise CampusRefusedError(answer.status_code, message)
