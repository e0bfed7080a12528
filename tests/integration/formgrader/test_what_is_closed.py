"""Nothing of Jupyter is open in a formgrader but formgrader, and that behind walls."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from bioskills_formgrader import Formgrader
from bioskills_http import rest

from bioskills.hub.processes import PROC, pids_of

pytestmark = pytest.mark.integration

CLOSED = {
    "contents": ("GET", "api/contents"),
    "a file by contents": ("GET", "api/contents/gradebook.db"),
    "an upload": ("PUT", "api/contents/evil.ipynb"),
    "a new file": ("POST", "api/contents"),
    "files": ("GET", "files/gradebook.db"),
    "kernels": ("GET", "api/kernels"),
    "a new kernel": ("POST", "api/kernels"),
    "kernelspecs": ("GET", "api/kernelspecs"),
    "sessions": ("GET", "api/sessions"),
    "a new session": ("POST", "api/sessions"),
    "terminals": ("GET", "api/terminals"),
    "a new terminal": ("POST", "api/terminals"),
    "a terminal's page": ("GET", "terminals/1"),
    "JupyterLab": ("GET", "lab"),
    "the tree": ("GET", "tree"),
    "a notebook": ("GET", "notebooks/source/p1/p1.ipynb"),
    "nbconvert": ("GET", "nbconvert/html/source/p1/p1.ipynb"),
    "a view": ("GET", "view/gradebook.db"),
    "settings": ("GET", "api/config/notebook"),
    "the end of the server": ("POST", "api/shutdown"),
    "a file beside a hand-in": ("GET", "formgrader/submissions/1/gradebook.db"),
    "nbgrader's validate": ("GET", "nbgrader/validate"),
    "nbgrader's exchange": ("GET", "assignments"),
}


@pytest.mark.parametrize("what", CLOSED)
def test_it_is_not_there(ina: Formgrader, what: str) -> None:
    method, path = CLOSED[what]

    assert ina.send(method, path).status_code == 404


def test_a_kernel_s_channel_is_not_there(ina: Formgrader) -> None:
    answer = ina.get("api/kernels/1/channels", headers={"Upgrade": "websocket"})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "call",
    [
        ("PUT", "formgrader/api/assignment/p1"),
        ("PUT", "formgrader/api/assignment/new"),
        ("PUT", "formgrader/api/student/p-000009"),
    ],
    ids=" ".join,
)
def test_assignments_and_people_are_not_changed_from_here(
    ina: Formgrader, call: tuple[str, str]
) -> None:
    before = ina.rows("select count(*) from assignment"), ina.rows("select id from student")

    assert ina.send(*call, json={"duedate_notimezone": None}).status_code == 405
    assert before == (
        ina.rows("select count(*) from assignment"),
        ina.rows("select id from student"),
    )


@pytest.mark.parametrize(
    "button",
    [
        "assignment/p1/assign",
        "assignment/p1/release",
        "assignment/p1/unrelease",
        "assignment/p1/collect",
        "assignment/p1/generate_feedback",
        "assignment/p1/release_feedback",
        "assignment/p1/p-000001/generate_feedback",
        "assignment/p1/p-000001/release_feedback",
    ],
)
def test_a_button_of_the_platform_s_says_where_it_is_done(ina: Formgrader, button: str) -> None:
    told = ina.send("POST", f"formgrader/api/{button}").json()

    assert told["success"] is False
    assert "course page on the campus" in told["log"]


def test_a_change_needs_the_page_s_own_token(ina: Formgrader) -> None:
    path = f"{ina.base}formgrader/api/submission/p1/p-000001/autograde"

    assert ina.client.post(path).status_code == 403


def test_an_address_can_name_no_configuration(ina: Formgrader) -> None:
    page = ina.get("formgrader", params={"path": "/course/submitted/p-000001/p1"})

    assert str(page.url).endswith("/formgrader/manage_assignments")


@pytest.mark.parametrize(
    "name", ["%22;alert(1)//", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "..%2Fs1", "p1'"]
)
def test_an_address_cannot_write_into_a_page(ina: Formgrader, name: str) -> None:
    for page in ("manage_submissions", "gradebook", "manage_students"):
        assert ina.get(f"formgrader/{page}/{name}").status_code == 404


def test_every_page_runs_its_own_scripts_alone_and_cannot_be_framed(ina: Formgrader) -> None:
    policies = [
        ina.get(f"formgrader/{page}").headers["Content-Security-Policy"]
        for page in ("manage_assignments", "manage_submissions/p1", "gradebook", "manage_students")
    ]

    assert len(policies) == len(set(policies))
    for policy in policies:
        assert "default-src 'none'; script-src 'nonce-" in policy
        assert "frame-ancestors 'none'" in policy
        script = policy.partition("script-src")[2].partition(";")[0]
        assert "unsafe" not in script
        assert "'self'" not in script


def inside(pid: int) -> Path:
    """Return what the process sees as the root of all folders."""
    return PROC / str(pid) / "root"


def server_in(box: int) -> int:
    """Return the server's own process: the innermost child of the box."""
    children = (PROC / str(box) / "task" / str(box) / "children").read_text().split()
    return server_in(int(children[0])) if children else box


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks into another uid's process")
def test_its_box_holds_the_run_s_folder_and_no_token_of_a_service(ina: Formgrader) -> None:
    pid = server_in(box_of(ina))
    root = inside(pid)
    status = dict(
        line.split(":\t", 1) for line in (PROC / str(pid) / "status").read_text().splitlines()
    )
    grader = (ina.gradebook.parents[2]).stat().st_uid
    mounts = (PROC / str(pid) / "mounts").read_text().splitlines()
    options = {line.split()[1]: line.split()[3].split(",") for line in mounts}

    assert {str(grader)} == set(status["Uid"].split())
    assert 0 == int(status["CapEff"], 16) == int(status["CapBnd"], 16)
    assert status["NoNewPrivs"] == "1"
    assert (root / "course/gradebook.db").is_file()
    assert not (root / str(ina.product.data / "state").lstrip("/")).exists()
    assert not (root / "etc/passwd").exists()
    assert list((root / "tmp").glob("bsh-*/state")) == []
    for name in ("source", "release", "submitted", "autograded", "slots", "pristine.db"):
        assert "ro" in options[f"/course/{name}"]
    assert "ro" in options["/"]


def box_of(ina: Formgrader) -> int:
    """Return the process that the service started for this run."""
    for pid in pids_of({ina.gradebook.stat().st_uid}):
        with suppress(OSError):  # a process of the grader's that just ended
            words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"bwrap") and str(ina.gradebook.parent).encode() in words:
                return pid
    raise AssertionError("no box")


def test_the_account_s_token_opens_nothing_at_the_hub(ina: Formgrader) -> None:
    roles = rest(ina.product, "GET", f"users/{ina.account}").json()["roles"]

    assert roles == ["formgrader"]
