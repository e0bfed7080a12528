"""What a broken service or a learner's process leaves in our way gains it nothing."""

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bioskills.base.places import hub_database_url
from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import OWN_PORTS, Settings
from bioskills.base.store import sqlite_path
from bioskills.hub import doctor_state, speakers
from bioskills.hub.cohort_file import parse_cohort
from bioskills.hub.config_files import hand_over_config
from bioskills.hub.doctor import Patient
from bioskills.hub.doctor_state import check_hub_database
from bioskills.hub.listeners import listener_uid
from bioskills.hub.privileges import run_as
from bioskills.hub.readiness import write_settings
from bioskills.hub.secrets_store import MOST_BYTES, ensure_secret, read_secret
from bioskills.hub.speakers import speaker_uid
from bioskills.hub.state import ensure_state, owners_of, proxy_uid, secret_files
from bioskills.hub.supervision import programs, walled
from bioskills.hub.warnings_shown import ports_learners_can_take, unprivileged_from

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root: it is about what root would do"
)
SERVICE = 61_500
LEARNER = 71_500


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bsh-unit-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def settings(open_folder: Path) -> Settings:
    return Settings.model_validate(
        {"paths": {"data_dir": f"{open_folder}/data"}, "labs": {"service_uid": SERVICE}}
    )


@root_only
def test_a_link_that_a_service_leaves_beside_its_database_gives_it_no_file_of_root(
    settings: Settings, open_folder: Path
) -> None:
    places, secret = ensure_state(settings), open_folder / "secret"
    secret.touch(mode=0o600)
    (places.database / "bioskills.sqlite-x").symlink_to(secret)

    ensure_state(settings)

    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (0, 0o600)


@root_only
def test_a_link_in_place_of_a_settings_file_is_replaced_not_written_through(
    settings: Settings, open_folder: Path
) -> None:
    places, victim = ensure_state(settings), open_folder / "victim"
    victim.write_text("kept")
    (places.grader / "run.toml").symlink_to(victim)

    written = write_settings(settings, places.grader / "run.toml", owner=owners_of(settings).grader)

    assert victim.read_text() == "kept"
    assert victim.stat().st_uid == 0
    assert not written.is_symlink()


def test_a_link_in_place_of_a_secret_is_refused(open_folder: Path) -> None:
    ensure_secret(open_folder / "real")
    (open_folder / "link").symlink_to(open_folder / "real")

    with pytest.raises(OSError, match="symbolic links"):
        read_secret(open_folder / "link")


@root_only
def test_what_root_does_as_a_service_has_the_services_rights_alone(open_folder: Path) -> None:
    secret = open_folder / "secret"
    secret.touch(mode=0o600)

    with pytest.raises(SetupError, match="Permission denied"):
        run_as(SERVICE, (SERVICE,), secret.read_text)


@root_only
def test_a_hub_configuration_that_others_can_write_is_not_run(
    settings: Settings, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = open_folder / "jupyterhub_config.py"
    planted.touch()
    os.chown(planted, LEARNER, LEARNER)
    monkeypatch.chdir(open_folder)

    with pytest.raises(SetupError, match="would be run with the hub's secrets"):
        hand_over_config(ensure_state(settings), owners_of(settings))


@root_only
def test_the_hub_reads_and_cannot_change_what_root_chose_even_where_it_cannot_go(
    settings: Settings, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = open_folder / "closed"
    site = closed / "jupyterhub_config.d" / "10-site.py"
    site.parent.mkdir(parents=True, mode=0o700)
    closed.chmod(0o700)
    (closed / "jupyterhub_config.py").write_text("first = 1")
    site.write_text("secret = 1")
    site.chmod(0o600)
    monkeypatch.chdir(closed)
    places, owners = ensure_state(settings), owners_of(settings)

    copy = hand_over_config(places, owners)
    read = run_as(
        owners.hub,
        owners.groups(owners.hub),
        lambda: [copy.read_text(), (copy.parent / site.parent.name / site.name).read_text()],
    )

    assert read == ["first = 1", "secret = 1"]
    for uid, act in ((owners.hub, copy.unlink), (owners.campus, copy.read_text)):
        with pytest.raises(SetupError, match="Permission denied"):
            run_as(uid, owners.groups(uid), act)
    site.unlink()
    hand_over_config(places, owners)
    assert [path.name for path in copy.parent.rglob("*.py")] == [copy.name]


@root_only
def test_internal_ports_are_out_of_a_learners_reach_and_within_the_services(
    settings: Settings, open_folder: Path
) -> None:
    places, owners = ensure_state(settings), owners_of(settings)
    files = dict.fromkeys(("proxy", "campus", "hub", "grader", "culler"), open_folder)
    every = {p.name: p for p in programs(places, owners, open_folder, files)}
    port = next(p for p in range(700, 1000) if _is_free(p))
    bind = [sys.executable, "-c", f"import socket; socket.create_server(('127.0.0.1', {port}))"]

    wall = walled(every["campus"], owners.groups(owners.campus))
    campus = subprocess.run(
        [*wall[: wall.index("--") + 1], *_system_python(bind)], capture_output=True
    )
    learner = subprocess.run(
        _system_python(bind), capture_output=True, user=LEARNER, group=LEARNER, extra_groups=[]
    )

    assert ports_learners_can_take(settings) == []
    assert max(getattr(settings.network, name) for name in OWN_PORTS) < unprivileged_from()
    assert campus.returncode == 0, campus.stderr
    assert b"Permission denied" in learner.stderr


def test_the_owner_of_a_listening_socket_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listener_uid(port) == os.geteuid()
    assert listener_uid(port) is None


@pytest.mark.parametrize("ask", [speaker_uid, speakers._asked, speakers._looked_up])
def test_the_owner_of_who_speaks_to_a_port_is_known_and_of_who_left_nobody_is(
    ask: Callable[[int, int], int | None],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", to)) as client:
            port = client.getsockname()[1]
            assert ask(port, to) == os.geteuid()
            assert ask(port, to + 1) is None
        with server.accept()[0]:
            assert ask(port, to) is None


@root_only
@pytest.mark.parametrize("ask", [speakers._asked, speakers._looked_up])
def test_who_speaks_as_another_uid_is_told_from_the_proxy(
    ask: Callable[[int, int], int | None],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = server.getsockname()[1]

        def speak() -> int | None:
            with socket.create_connection(("127.0.0.1", to)) as client:
                return ask(client.getsockname()[1], to)

        assert run_as(LEARNER, (), speak) == LEARNER
        assert run_as(SERVICE, (), speak) == SERVICE


@root_only
def test_the_hub_knows_the_proxys_uid_though_it_is_another_one(settings: Settings) -> None:
    ensure_state(settings)
    owners = owners_of(settings)

    known = run_as(owners.hub, owners.groups(owners.hub), lambda: proxy_uid(settings))
    assert known == owners.proxy != owners.hub


@pytest.mark.parametrize(
    "name",
    ["Lea\\nchanged 0 rows", "Lea \\u202e drawkcab", "x" * 101],
    ids=["line feed", "right to left", "long"],
)
def test_a_name_cannot_forge_lines_of_the_plan(name: str) -> None:
    text = f'[cohort]\nslug = "spring"\n[[people]]\nname = "lea"\nroles = ["learner"]\ndisplay_name = "{name}"\n'

    with pytest.raises(InputError, match="one line of at most 100 visible characters"):
        parse_cohort(text, ".toml", "people.toml", "UTC")


@root_only
def test_every_secret_belongs_to_its_reader_alone(settings: Settings) -> None:
    places, owners = ensure_state(settings), owners_of(settings)
    files = secret_files(places)

    found = {p: (p.stat().st_uid, p.stat().st_mode & 0o777) for p in vars(files).values()}
    hub = (files.cookie, files.provision, files.second_factor, files.auth_state)
    copies = (files.proxy_at_hub, files.campus_at_hub, files.culler_at_hub)

    assert found == {
        files.proxy: (owners.proxy, 0o600),
        files.campus: (owners.campus, 0o600),
        files.grader_at_campus: (owners.campus, 0o600),
        files.grader: (owners.grader, 0o600),
        files.culler: (owners.culler, 0o600),
        **dict.fromkeys((*hub, *copies), (owners.hub, 0o600)),
    }
    assert owners.hub != 0


@root_only
def test_our_database_is_written_by_hub_and_campus_and_read_by_no_other_service(
    settings: Settings,
) -> None:
    places, owners = ensure_state(settings), owners_of(settings)
    file = places.database / "bioskills.sqlite"

    def write(uid: int) -> list[list[object]]:
        return run_as(uid, owners.groups(uid), lambda: _write_and_list(file))

    # Whoever comes first makes the files beside it; the other can use them.
    for first, second in ((owners.hub, owners.campus), (owners.campus, owners.hub)):
        with closing(sqlite3.connect(file)) as held:
            held.execute("PRAGMA journal_mode=WAL")
        assert {mode for _name, mode, _group in write(first)} == {0o660}
        assert {group for _name, _mode, group in write(second)} == {owners.database}
    for uid in (owners.proxy, owners.grader, owners.culler, owners.relay, LEARNER):
        with pytest.raises(SetupError, match="unable to open database file"):
            write(uid)


def _write_and_list(file: Path) -> list[list[object]]:
    with closing(sqlite3.connect(file)) as database:
        database.execute("create table if not exists trial (at text)")
        database.execute("insert into trial values ('now')")
        database.commit()
        states = [(p.name, p.stat()) for p in sorted(file.parent.iterdir())]
        return [[name, state.st_mode & 0o777, state.st_gid] for name, state in states]


@root_only
def test_what_root_kept_for_the_hub_becomes_the_hubs_and_a_link_stays_what_it_is(
    settings: Settings, open_folder: Path
) -> None:
    places, owners = ensure_state(settings), owners_of(settings)
    victim, database = open_folder / "victim", places.hub / "hub.sqlite"
    for path in (victim, database):
        path.touch(mode=0o600)
    (places.hub / "link").symlink_to(victim)
    os.chown(places.hub, 0, 0)

    ensure_state(settings)

    assert (places.hub.stat().st_uid, database.stat().st_uid) == (owners.hub, owners.hub)
    assert victim.stat().st_uid == 0
    database.unlink()
    database.touch()
    ensure_state(settings)
    assert database.stat().st_uid == 0, "the hub's own folder is never searched by root"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _system_python(command: list[str]) -> list[str]:
    # The test's own interpreter may lie where another uid cannot go.
    return ["/usr/bin/python3", *command[1:]]


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_a_service_lays_in_the_place_of_a_secret_is_refused_at_once(
    tmp_path: Path, kind: str
) -> None:
    path, other = tmp_path / "secret", tmp_path / "other"
    other.write_text("of somebody else")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(other)
    else:
        path.mkdir()

    with pytest.raises(OSError, match=r"plain file|symbolic links|directory"):
        read_secret(path)
    assert path.lstat(), "and is left where it is"


def test_no_more_is_read_of_a_secret_than_one_can_be_long(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("wb") as file:
        file.write(b"x" * 10)
        file.truncate(1 << 40)

    assert len(read_secret(tmp_path / "secret")) <= MOST_BYTES


def test_the_doctor_waits_for_no_pipe_in_the_place_of_the_hubs_database(
    settings: Settings,
) -> None:
    places = ensure_state(settings)
    file = sqlite_path(hub_database_url(settings))
    assert file is not None
    os.mkfifo(file)

    with pytest.raises((OSError, SetupError), match="plain file"):
        check_hub_database(Patient(settings, places))


@root_only
def test_the_doctor_reads_the_hubs_database_with_the_hubs_rights_alone(
    settings: Settings,
) -> None:
    places = ensure_state(settings)
    file = sqlite_path(hub_database_url(settings))
    assert file is not None
    file.touch(mode=0o600)  # root's own

    with pytest.raises(SetupError, match="Permission denied"):
        check_hub_database(Patient(settings, places))


@root_only
def test_who_asks_the_database_gets_nothing_of_roots_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_ROOT", "a-secret")
    monkeypatch.setattr(
        doctor_state, "ASK_DATABASE", "import json, os; print(json.dumps(dict(os.environ)))"
    )
    owners = owners_of(settings)
    done = doctor_state._ask_database("sqlite://", owners.hub, owners.groups(owners.hub))

    assert done.returncode == 0, done.stderr
    assert "OF_ROOT" not in done.stdout
