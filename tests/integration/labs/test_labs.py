"""A learner's lab: own uid, own home, own token, and no way to anybody else's."""

import json
import os
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_http import (
    Lab,
    lab_of,
    listeners,
    loaded_paths,
    page_config,
    rest,
    sign_in,
    start_lab,
    stop_lab,
    visitor,
)
from bioskills_product import Product
from bioskills_waiting import eventually
from sqlalchemy import select

from bioskills.base.store import Store
from bioskills.base.tables import LabUid, Person
from bioskills.hub.processes import pids_of

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each learner an own uid"),
]

OUR_NAMES = {
    "BIOSKILLS_COLD_COURSES",
    "BIOSKILLS_KERNELS_SOCKET",
    "BIOSKILLS_WARDEN_SOCKET",
    "BIOSKILLS_CAMPUS_API",
    "BIOSKILLS_CAMPUS_URL",
    "BIOSKILLS_LANGUAGE",
    "HOME",
    "JUPYTER_CONFIG_PATH",
    "JUPYTER_PATH",
    "JUPYTER_RUNTIME_DIR",
    "LANG",
    "LOGNAME",
    "PATH",
    "PYTHONNOUSERSITE",
    "SHELL",
    "USER",
}
HUBS_NAMES = {
    "JPY_API_TOKEN",
    "JUPYTERHUB_ACTIVITY_URL",
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_API_URL",
    "JUPYTERHUB_BASE_URL",
    "JUPYTERHUB_CLIENT_ID",
    "JUPYTERHUB_COOKIE_OPTIONS",
    "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED",
    "JUPYTERHUB_DEBUG",
    "JUPYTERHUB_DEFAULT_URL",
    "JUPYTERHUB_HOST",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
    "JUPYTERHUB_OAUTH_CALLBACK_URL",
    "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
    "JUPYTERHUB_OAUTH_SCOPES",
    "JUPYTERHUB_PUBLIC_HUB_URL",
    "JUPYTERHUB_PUBLIC_URL",
    "JUPYTERHUB_SERVER_NAME",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JUPYTERHUB_SERVICE_URL",
    "JUPYTERHUB_USER",
    "MEM_GUARANTEE",
}


@pytest.fixture(scope="module")
def lea(product: Product) -> Lab:
    return start_lab(product, "lea")


@pytest.fixture(scope="module")
def miro(product: Product) -> Lab:
    return start_lab(product, "miro")


@pytest.fixture
def sofia(product: Product) -> Iterator[Lab]:
    lab = start_lab(product, "sofia")
    yield lab
    os.chown(lab.home, lab.uid, lab.uid)


def uids_in_table(product: Product) -> dict[str, int]:
    store = Store(f"sqlite:///{product.data / 'state/db/bioskills.sqlite'}")
    with store.reading() as session:
        rows = session.execute(select(Person.name, LabUid.uid).join(LabUid)).all()
    store.close()
    return dict(tuple(row) for row in rows)


def test_each_lab_runs_as_the_uid_of_our_table(lea: Lab, miro: Lab) -> None:
    table = uids_in_table(lea.product)

    assert (lea.uid, miro.uid) == (table["lea"], table["miro"])
    assert lea.uid != miro.uid
    assert min(lea.uid, miro.uid) >= lea.product.lab_uid


def test_a_lab_has_no_group_but_its_own_and_can_gain_no_right(lea: Lab) -> None:
    status = lea.status

    assert status["Uid"].split() == [str(lea.uid)] * 4
    assert status["Gid"].split() == [str(lea.uid)] * 4
    assert status["Groups"] == ""
    assert status["NoNewPrivs"] == "1"
    assert [status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")] == ["0" * 16] * 4


def test_a_labs_environment_holds_what_is_listed_and_nothing_else(lea: Lab) -> None:
    found = set(lea.environ)

    assert found - OUR_NAMES - HUBS_NAMES == set()
    assert OUR_NAMES - found == set()


def test_a_labs_environment_holds_no_secret_but_its_own_token(lea: Lab) -> None:
    tokens = {"JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN"}
    rest_of_it = json.dumps({k: v for k, v in lea.environ.items() if k not in tokens})
    secrets = [
        path.read_text()
        for name in ("proxy/token", "campus/hub_token", "grader/campus_token", "culler/hub_token")
        for path in [lea.product.data / "state" / name]
    ]
    secrets += [lea.product.password("lea"), lea.environ["JUPYTERHUB_API_TOKEN"]]

    assert [secret for secret in secrets if secret in rest_of_it] == []


def test_a_labs_token_opens_what_a_lab_needs_and_no_more(lea: Lab, miro: Lab) -> None:
    token = lea.environ["JUPYTERHUB_API_TOKEN"]
    api = lea.environ["JUPYTERHUB_API_URL"]

    with visitor() as client:
        client.headers["Authorization"] = f"token {token}"
        whoami = client.get(f"{api}/user").json()
        others = [
            client.get(f"{api}/users").status_code,
            client.get(f"{api}/users/miro").status_code,
            client.post(f"{api}/users/lea/tokens", json={}).status_code,
            client.delete(f"{api}/users/miro/server").status_code,
            client.get(
                f"http://miro.hub.localhost:{lea.product.port}/user/miro/api/contents"
            ).status_code,
        ]

    assert whoami["name"] == "lea"
    needed = {"access:servers!server=lea/", "custom:bioskills:lab", "users:activity!user=lea"}
    about_oneself = {f"read:users:{what}!user=lea" for what in ("name", "activity", "groups")}
    assert needed <= set(whoami["scopes"]) <= needed | about_oneself
    assert set(others) <= {403, 404}


def test_home_and_sockets_are_closed_to_others(lea: Lab) -> None:
    for folder in (lea.home, lea.runtime):
        state = folder.stat()
        assert (state.st_uid, state.st_gid, state.st_mode & 0o777) == (lea.uid, lea.uid, 0o700)


TRY = """
import os, socket
def attempt(path, how):
    try:
        how(path)
        print("OPEN", path)
    except OSError as error:
        print(type(error).__name__)
for path in {folders!r}:
    attempt(path, os.listdir)
for path in {files!r}:
    attempt(path, lambda p: open(p, "rb").read(1))
    attempt(path, lambda p: open(p, "ab"))
for path in {sockets!r}:
    attempt(path, lambda p: socket.socket(socket.AF_UNIX).connect(p))
try:
    os.kill({pid}, 0)
    print("OPEN kill")
except OSError as error:
    print(type(error).__name__)
"""


def test_code_of_one_learner_reaches_nothing_of_another_or_of_the_services(
    lea: Lab, miro: Lab
) -> None:
    data = lea.product.data
    (miro.home / "private.txt").write_text("miro's")
    with miro.kernel() as in_miro, lea.kernel() as in_lea:
        in_miro("print('warm')")
        sockets = [str(p) for p in miro.runtime.iterdir() if p.is_socket()]
        folders = [miro.home, miro.runtime, miro.home.parent, miro.runtime.parent]
        folders += [data / "state", *(p for p in (data / "state").iterdir() if p.is_dir())]
        files = [
            miro.home / "private.txt",
            *miro.runtime.glob("kernel-*.json"),
            Path(f"/proc/{miro.pid}/environ"),
            Path(f"/proc/{miro.pid}/mem"),
            *(p for p in (data / "state").rglob("*") if p.is_file()),
        ]
        code = TRY.format(
            folders=[str(p) for p in folders],
            files=[str(p) for p in files],
            sockets=sockets,
            pid=miro.pid,
        )
        said = in_lea(code).split("\n")
        own = in_lea("import os; print(sorted(os.listdir(os.environ['HOME'])) is not None)")

    assert len(sockets) >= 5
    assert len(files) > 12
    assert own.strip() == "True"
    assert [line for line in said if line.startswith("OPEN")] == []
    assert set(filter(None, said)) <= {"PermissionError", "FileNotFoundError"}
    assert len(list(filter(None, said))) > len(files)


def test_code_of_a_learner_gains_nothing_by_programs_with_rights_of_their_own(lea: Lab) -> None:
    code = textwrap.dedent("""
        import os, subprocess
        try:
            os.setuid(0)
        except PermissionError:
            print("refused")
        print(subprocess.run(["su", "-c", "id -u"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout == "")
    """)
    with lea.kernel() as run:
        assert run(code).split() == ["refused", "True"]


def test_kernels_are_reached_by_files_alone(lea: Lab) -> None:
    with lea.kernel() as run:
        run("print(1)")
        ports, outside = set(listeners({lea.uid}, lea.pid)), listeners({lea.uid})
        # ipykernel hears the output of a kernel's own child processes on a port of loopback;
        # it takes what begins with 16 random bytes, and takes it as output only.
        pipe = {
            int(port) for port in run("import sys; print(sys.stdout.pub_thread._pipe_port)").split()
        }
        (file,) = lea.runtime.glob("kernel-*.json")
        connection = json.loads(file.read_text())

    # Its own page is on a socket that the warm parent bound, in a network of others.
    assert ports == pipe
    assert outside == []
    assert connection["transport"] == "ipc"
    assert connection["ip"].startswith(str(lea.runtime))


def test_kernels_run_in_the_course_environment(lea: Lab) -> None:
    with lea.kernel() as run:
        said = run("import sys, os, Bio; print(sys.prefix, os.getuid())").split()

    assert said == [lea.environ["PATH"].split("/bin:")[0], str(lea.uid)]


def test_the_server_has_loaded_neither_nbgrader_nor_the_costly_grammar(lea: Lab) -> None:
    lea.call("GET", "lab").raise_for_status()

    memory = loaded_paths(lea.pid)

    assert b"/site-packages/jupyterlab/__init__.py" in memory, "the look itself works"
    assert b"/site-packages/nbgrader/__init__.py" not in memory
    assert b"/site-packages/rfc3987_syntax/__init__.py" not in memory


def test_a_learner_sees_no_panel_of_nbgrader_and_installs_no_extension(lea: Lab) -> None:
    config = page_config(lea)

    off = set(config["disabledExtensions"])
    assert off >= {f"@jupyter/nbgrader:{n}" for n in ("assignment-list", "formgrader")}
    assert off >= {
        "@jupyter/nbgrader:create-assignment",
        "@jupyterlab/apputils-extension:announcements",
    }
    assert config["extensionManager"]["can_install"] is False
    assert (config["buildCheck"], config["buildAvailable"]) == (False, False)


def test_an_instructor_keeps_the_panel_that_marks_cells(product: Product) -> None:
    lab = start_lab(product, "ina")

    off = set(page_config(lab)["disabledExtensions"])

    assert "@jupyter/nbgrader:create-assignment" not in off
    assert "@jupyter/nbgrader:formgrader" in off
    stop_lab(lab)


DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.execv(sys.executable, [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(3600)"])
    os._exit(0)
time.sleep(1)
print("left")
"""


def test_a_stopped_lab_leaves_no_process_even_where_the_learner_left_a_daemon(sofia: Lab) -> None:
    with sofia.kernel() as run:
        assert "left" in run(DAEMON)
    before = len(pids_of({sofia.uid}))

    stop_lab(sofia)

    assert before >= 2
    assert eventually(lambda: not pids_of({sofia.uid}))


def test_a_home_of_another_owner_is_told_to_the_learner_and_never_changed(sofia: Lab) -> None:
    stop_lab(sofia)
    os.chown(sofia.home, 4242, 4242)

    with visitor() as client:
        assert sign_in(client, sofia.product, "sofia")
        client.get(f"{sofia.product.url}/hub/spawn/sofia")
        told = eventually(
            lambda: (
                "belongs to another account"
                in client.get(f"{sofia.product.url}/hub/spawn-pending/sofia").text
            )
        )

    assert told
    assert (sofia.home.stat().st_uid, sofia.home.stat().st_gid) == (4242, 4242)
    assert eventually(lambda: not pids_of({sofia.uid}))


def test_a_lab_can_be_started_again_after_it_was_stopped(sofia: Lab) -> None:
    uid, begun = sofia.uid, time.monotonic()
    stop_lab(sofia)

    again = start_lab(sofia.product, "sofia")

    print(f"stop and start of a lab: {time.monotonic() - begun:.1f} s")
    assert again.uid == uid == lab_of(sofia.product, "sofia").uid
    assert rest(sofia.product, "GET", "users/sofia").json()["name"] == "sofia"
