"""Make the panel's server part importable, and give tests a campus that answers over HTTP."""

import io
import json
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "extensions" / "competence-lab"))

PREFIX = "/services/campus/"


def cell(kind: str, source: str, grade_id: str = "", **marks: Any) -> dict[str, Any]:
    metadata = {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **marks}}
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {
        "cell_type": kind,
        "metadata": metadata if grade_id else {},
        "source": source,
        "id": (grade_id or f"c{abs(hash(source)) % 10**8}").replace("_", "-"),
        **more,
    }


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


def released_notebook() -> dict[str, Any]:
    return notebook(
        cell("markdown", "# Practice\n\n## GC percentage"),
        cell("code", "# YOUR CODE HERE\nraise NotImplementedError()", "gc_answer", solution=True),
        cell(
            "code",
            'assert gc("GGCC") == 100, "[upper_case] a plain upper-case sequence gave a wrong value"',
            "gc",
            grade=True,
        ),
        cell("markdown", "## Why the file survives"),
        cell("markdown", "YOUR ANSWER HERE", "why", grade=True, solution=True),
    )


def tar_of(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for entry in more:
            archive.addfile(entry)
    return buffer.getvalue()


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class LittleCampus(ThreadingHTTPServer):
    """A campus on loopback: fixed answers by method and path, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        self.seen: list[Seen] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PREFIX}"

    def gives(self, method: str, path: str, answer: Answer) -> None:
        self.answers[method, PREFIX + path] = answer

    def gives_json(self, method: str, path: str, body: object, status: int = 200) -> None:
        self.gives(method, path, Answer(status, json.dumps(body).encode()))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LittleCampus

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Seen(self.command, self.path, dict(self.headers), body))
        answer = self.server.answers.get((self.command, self.path), Answer(404, b"nothing"))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = _do  # noqa: N815
    do_POST = _do  # noqa: N815


OVERVIEW: dict[str, Any] = {
    "person": "lea",
    "runs": [
        {
            "slug": "spring",
            "course": "sequences",
            "is_open": True,
            "next": {"kind": "none", "title": ""},
            "lessons": [
                {"id": "l1", "title": "One", "minutes": 10, "path": "lessons/01.ipynb"},
                {"id": "l2", "title": "Two", "minutes": 10, "path": "../../escape.ipynb"},
            ],
            "assignments": [
                {
                    "name": "p1",
                    "title": "Practice",
                    "minutes": 20,
                    "state": "new",
                    "attempt": 0,
                    "submission_id": None,
                }
            ],
        }
    ],
}


@pytest.fixture
def campus() -> Iterator[LittleCampus]:
    server = LittleCampus()
    server.gives_json("GET", "api/v1/lab/overview", OVERVIEW)
    release = tar_of(
        {"p1.ipynb": json.dumps(released_notebook()).encode(), "data/a.fasta": b">a\nACGT\n"}
    )
    server.gives(
        "GET",
        "exchange/v1/runs/spring/assignments/p1/release",
        Answer(200, release, {"X-Bioskills-Version": "3"}),
    )
    lesson = json.dumps(notebook(cell("markdown", "# One"))).encode()
    server.gives(
        "GET",
        "api/v1/lab/runs/spring/materials",
        Answer(200, tar_of({"README.md": b"hi", "lessons/01.ipynb": lesson})),
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
