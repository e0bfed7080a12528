"""`bioskills ledger`: what was signed is kept, carried away, and held against the ledger later."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bioskills_ledger import by_hand, grow, planted
from bioskills_waiting import eventually
from sqlalchemy import select

from bioskills.base.places import Places, database_url
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables_ledger import LedgerCheckpoint
from bioskills.competence.checkpoints import new_key, vouches
from bioskills.hub import ledger_signing
from bioskills.hub.doctor import Patient
from bioskills.hub.doctor_ledger import check_ledger
from bioskills.hub.ledger_nightly import EACH_S, FIRST_AFTER_S, Nightly
from bioskills.hub.ledger_signing import KEY, kept_file, make_checkpoint, read_kept
from bioskills.hub.state import ensure_state, owners_of

pytestmark = pytest.mark.integration
CALL = "import sys; from bioskills.base.commands import main; sys.exit(main(sys.argv[1:]))"
SERVICE = 41_300
AT = datetime(2027, 3, 2, 1, 0, tzinfo=UTC)


class Site:
    """An installation with a ledger of five records."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.model_validate(
            {"paths": {"data_dir": str(folder)}, "labs": {"service_uid": SERVICE}}
        )
        self.places: Places = ensure_state(self.settings)
        self.store: Store = planted(database_url(self.settings))
        grow(self.store, 5, at=datetime.now(UTC) - timedelta(days=3))

    def ledger(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        environment = {
            **os.environ,
            "BIOSKILLS_PATHS_DATA_DIR": self.settings.paths.data_dir,
            "BIOSKILLS_LABS_SERVICE_UID": str(SERVICE),
        }
        command = [sys.executable, "-c", CALL, "ledger", *map(str, words)]
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def sign(self, at: datetime = AT) -> None:
        make_checkpoint(self.settings, owners_of(self.settings).campus, at)

    def signed(self) -> list[str]:
        return read_kept(kept_file(self.places)).checkpoints

    def in_table(self) -> list[str]:
        with self.store.reading() as session:
            return list(session.scalars(select(LedgerCheckpoint.jws).order_by(LedgerCheckpoint.id)))


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="bsh-ledger-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        found = Site(folder)
        yield found
        found.store.close()


def test_the_key_is_roots_alone_and_what_was_signed_is_the_campuss_to_read(site: Site) -> None:
    owners, key = owners_of(site.settings), (site.places.machine / KEY).stat()
    kept = kept_file(site.places).stat()

    assert (key.st_uid, stat.S_IMODE(key.st_mode)) == (owners.root, 0o600)
    assert stat.S_IMODE(site.places.machine.stat().st_mode) == 0o700
    assert (kept.st_uid, stat.S_IMODE(kept.st_mode)) == (owners.root, 0o640)
    if os.geteuid() == 0:
        assert kept.st_gid == owners.campus != owners.root


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("key", b"{"),
        ("key", b"\xff"),
        ("key", new_key().encode().replace(b"M", b"\xff")),
        ("file", b"{"),
        ("file", b"\xff"),
        ("file", b'{"keys": [{}]}'),
        ("file", b'{"keys": [{"kid": 1, "x": 1}]}'),
    ],
)
def test_a_broken_file_stops_no_start_and_signs_nothing(
    site: Site, what: str, content: bytes
) -> None:
    path = site.places.machine / KEY if what == "key" else kept_file(site.places)
    path.write_bytes(content)

    ensure_state(site.settings)

    assert path.read_bytes() == content
    for verb in ("checkpoint", "rotate-key"):
        done = site.ledger(verb)
        assert (done.returncode, done.stdout, path.name in done.stderr) == (2, "", True)
        assert ("no Ed25519 key" in done.stderr) == (what == "key")
    assert not list(site.places.machine.glob(f"{KEY}.*")), "no half of a new key is left"


@pytest.mark.parametrize("what", ["key", "file"])
def test_a_folder_in_the_place_of_a_file_stops_no_start(site: Site, what: str) -> None:
    path = site.places.machine / KEY if what == "key" else kept_file(site.places)
    path.unlink()
    path.mkdir()

    ensure_state(site.settings)

    for verb in ("checkpoint", "rotate-key"):
        done = site.ledger(verb)
        assert (done.returncode, done.stdout, path.name in done.stderr) == (2, "", True)


def test_a_second_set_up_keeps_the_key(site: Site) -> None:
    before = (site.places.machine / KEY).read_bytes()

    ensure_state(site.settings)

    assert (site.places.machine / KEY).read_bytes() == before
    assert len(read_kept(kept_file(site.places)).keys) == 1


def test_a_sound_ledger_is_signed_carried_away_and_verified(site: Site, tmp_path: Path) -> None:
    away = tmp_path / "away.json"
    done = site.ledger("checkpoint", "--out", away)
    grow(site.store, 2)

    assert (done.returncode, "Signed 5 records" in done.stdout) == (0, True)
    assert "PRIVATE" not in away.read_text() + done.stdout
    found = site.ledger("verify", "--checkpoint", away)
    assert (found.returncode, found.stderr) == (0, "")
    assert "7 records, each follows the one before it; 1 checkpoint agrees." in found.stdout
    assert site.in_table() == site.signed()


def test_the_answer_for_programs_is_one_object(site: Site) -> None:
    by_hand(site.store, "update ledger set record = replace(record, '0.82', '0.92') where seq = 3")

    found = site.ledger("verify", "--json")
    told = json.loads(found.stdout)
    assert (found.returncode, told["sound"], told["count"]) == (1, False, 5)
    assert [one["seq"] for one in told["findings"]] == [3]


def test_a_bad_record_is_named_with_the_next_step(site: Site) -> None:
    by_hand(site.store, "update ledger set record = replace(record, '0.82', '0.92') where seq = 3")

    found, shown = site.ledger("verify"), site.ledger("show", "3")
    assert found.stdout.startswith("Record 3: its text gives another hash")
    assert "Stop the hub" in found.stdout
    assert (shown.returncode, "Wrong: its text" in shown.stdout) == (1, True)


def test_a_record_is_shown_as_it_is_stored(site: Site) -> None:
    shown = site.ledger("show", "2")

    assert shown.returncode == 0
    assert json.loads(shown.stdout.splitlines()[0])["seq"] == 2
    assert "It is sound." in shown.stdout
    missing = site.ledger("show", "9")
    assert (missing.returncode, "there is no record 9" in missing.stderr) == (2, True)


def test_mistakes_end_in_sentences_and_sign_nothing(site: Site, tmp_path: Path) -> None:
    for seq in ("99999999999999999999", "0"):
        shown = site.ledger("show", seq)
        assert (shown.returncode, f"there is no record {seq}" in shown.stderr) == (2, True)
    for place in (tmp_path / "none" / "x.json", tmp_path):
        done = site.ledger("checkpoint", "--out", place)
        assert (done.returncode, str(place) in done.stderr, site.signed()) == (2, True, [])

    kept = kept_file(site.places)
    kept.write_text(kept.read_text().replace('"losses": []', '"losses": ["a.b.c"]'))
    for words in (["verify"], ["checkpoint"], ["accept-loss", "--reason", "long enough a reason"]):
        done = site.ledger(*words)
        assert (done.returncode, "signature does not hold" in done.stderr) == (2, True)
    (site.places.machine / "ledger.lock").unlink()
    (site.places.machine / "ledger.lock").mkdir()
    done = site.ledger("rotate-key")
    assert (done.returncode, "ledger.lock" in done.stderr) == (2, True)


def test_an_older_copy_is_told_by_what_was_carried_away(site: Site, tmp_path: Path) -> None:
    backup, away = tmp_path / "backup.sqlite", tmp_path / "away.json"
    file = site.places.database / "bioskills.sqlite"
    site.store.close()
    shutil.copy(file, backup)
    grow(site.store, 3)
    site.ledger("checkpoint", "--out", away)
    site.store.close()
    # Everything on this machine goes back, the kept checkpoints as well.
    file.write_bytes(backup.read_bytes())
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    kept = read_kept(kept_file(site.places)).model_copy(update={"checkpoints": []})
    kept_file(site.places).write_text(json.dumps(kept.model_dump()))

    assert site.ledger("verify").returncode == 0
    found = site.ledger("verify", "--checkpoint", away)
    assert (found.returncode, "record 8 was there" in found.stdout) == (1, True)

    grow(site.store, 4, score="1.0000")
    found = site.ledger("verify", "--checkpoint", away)
    assert (found.returncode, "record 8 had another hash" in found.stdout) == (1, True)


def test_what_is_wrong_is_never_signed(site: Site) -> None:
    site.sign()
    by_hand(site.store, "delete from evidence where seq = 5", "delete from ledger where seq = 5")

    done = site.ledger("checkpoint")
    assert done.returncode == 2
    assert "Nothing was signed, record 5: a checkpoint says" in done.stderr
    assert len(site.signed()) == 1


def test_a_kill_between_file_and_table_is_mended_by_the_next_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_about: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger_signing, "_store", killed)
        patch.setattr(ledger_signing, "run_as", lambda _uid, _groups, act: act())
        with pytest.raises(KeyboardInterrupt):
            site.sign()
    assert (len(site.signed()), site.in_table()) == (1, [])

    site.sign(AT + timedelta(days=1))
    assert site.in_table() == site.signed()
    assert len(site.signed()) == 2


def test_a_loss_can_be_accepted_and_is_told_ever_after(site: Site) -> None:
    reason = "the disk died; the backup of last night came back"
    refused = site.ledger("accept-loss", "--reason", reason)
    assert (refused.returncode, "nothing is lost" in refused.stderr) == (2, True)
    site.sign(datetime.now(UTC))
    by_hand(site.store, "delete from evidence where seq = 5", "delete from ledger where seq = 5")
    assert site.ledger("accept-loss", "--reason", "oops").returncode == 2

    assert site.ledger("accept-loss", "--reason", reason).returncode == 0
    grow(site.store, 3)
    assert site.ledger("checkpoint").returncode == 0
    found = site.ledger("verify")
    assert (found.returncode, reason in found.stdout) == (0, True)
    assert "7 records" in found.stdout

    by_hand(site.store, "delete from evidence where seq > 3", "delete from ledger where seq > 3")
    assert site.ledger("verify").returncode == 1, "what was signed since then stands"


def test_a_loss_that_new_records_have_grown_over_can_be_accepted(site: Site) -> None:
    reason = "the disk died; the backup of last night came back"
    site.sign(datetime.now(UTC) - timedelta(days=1))
    grow(site.store, 2)
    site.sign(datetime.now(UTC) - timedelta(hours=1))
    by_hand(site.store, "delete from evidence where seq > 5", "delete from ledger where seq > 5")
    grow(site.store, 4, score="1.0000")
    refused = site.ledger("checkpoint")
    assert (refused.returncode, "record 7 had another hash" in refused.stderr) == (2, True)

    accepted = site.ledger("accept-loss", "--reason", reason)
    assert (accepted.returncode, "records after record 5" in accepted.stdout) == (0, True)
    assert site.ledger("checkpoint").returncode == 0
    found = site.ledger("verify")
    assert (found.returncode, reason in found.stdout) == (0, True)
    assert "2 checkpoints agree" in found.stdout


def test_a_loss_before_every_checkpoint_can_be_accepted(site: Site) -> None:
    site.sign(datetime.now(UTC) - timedelta(hours=1))
    by_hand(site.store, "delete from evidence where seq > 3", "delete from ledger where seq > 3")
    grow(site.store, 4, score="1.0000")

    reason = "the disk died; the backup of last night came back"
    accepted = site.ledger("accept-loss", "--reason", reason)
    assert (accepted.returncode, "records after record 0" in accepted.stdout) == (0, True)
    assert site.ledger("checkpoint").returncode == 0


def test_a_loss_is_not_accepted_where_records_differ(site: Site) -> None:
    site.sign(datetime.now(UTC))
    by_hand(
        site.store,
        "delete from evidence where seq = 5",
        "delete from ledger where seq = 5",
        "update ledger set record = replace(record, '0.82', '0.92') where seq = 2",
    )

    done = site.ledger("accept-loss", "--reason", "a reason that is long enough")
    assert (done.returncode, "its text gives another hash" in done.stderr) == (2, True)


def test_a_new_key_signs_and_the_old_one_vouches_for_it(site: Site, tmp_path: Path) -> None:
    site.sign()
    old = (site.places.machine / KEY).read_text()
    done = site.ledger("rotate-key")
    site.ledger("checkpoint", "--out", tmp_path / "away.json")

    first, second = read_kept(kept_file(site.places)).keys
    assert second["kid"] in done.stdout
    assert vouches(second["vouched"], first, second)
    assert [one.kid for one in read_kept(kept_file(site.places)).read()] == [
        first["kid"],
        second["kid"],
    ]
    assert not any(
        old in path.read_text() for path in site.places.machine.glob("*") if path.is_file()
    )
    found = site.ledger("verify", "--checkpoint", tmp_path / "away.json")
    assert (found.returncode, "2 checkpoints agree" in found.stdout) == (0, True)


def test_a_checkpoint_of_an_exchanged_key_is_told(site: Site, tmp_path: Path) -> None:
    away = tmp_path / "away.json"
    site.ledger("checkpoint", "--out", away)
    (site.places.machine / KEY).unlink()
    kept_file(site.places).unlink()
    ensure_state(site.settings)

    found = site.ledger("verify", "--checkpoint", away)
    assert (found.returncode, "this installation never had" in found.stdout) == (1, True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": 1}'])
def test_a_file_that_is_none_is_refused_in_a_sentence(
    site: Site, tmp_path: Path, text: str
) -> None:
    (tmp_path / "bad.json").write_text(text)

    for name in ("bad.json", "missing.json"):
        done = site.ledger("verify", "--checkpoint", tmp_path / name)
        assert done.returncode == 2
        assert name in done.stderr


def test_where_nothing_is_installed_the_next_step_is_said(tmp_path: Path) -> None:
    environment = {**os.environ, "BIOSKILLS_PATHS_DATA_DIR": str(tmp_path / "none")}
    command = [sys.executable, "-c", CALL, "ledger", "verify"]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True)

    assert (done.returncode, "bioskills run" in done.stderr) == (2, True)


def test_the_doctor_says_how_the_ledger_is(site: Site) -> None:
    patient = Patient(site.settings, site.places)
    found = check_ledger(patient)
    assert (found.level, "are in no checkpoint" in found.sentence) == ("warning", True)

    site.sign(datetime.now(UTC))
    found = check_ledger(patient)
    assert (found.level, "5 records" in found.sentence) == ("ok", True)

    by_hand(site.store, "update evidence set score = '1.0000' where seq = 4")
    found = check_ledger(patient)
    assert (found.level, "Record 4" in found.sentence) == ("fault", True)
    assert found.next == "Run: bioskills ledger verify"


def test_a_night_signs_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSKILLS_PATHS_DATA_DIR", site.settings.paths.data_dir)
    monkeypatch.setenv("BIOSKILLS_LABS_SERVICE_UID", str(SERVICE))
    seconds = [0.0]
    nightly = Nightly(site.places, clock=lambda: seconds[0])
    nightly.tick()
    assert site.signed() == []

    seconds[0] = FIRST_AFTER_S

    def is_signed() -> bool:
        nightly.tick()
        return len(site.signed()) == 1

    assert eventually(is_signed)
    seconds[0] += 2 * EACH_S
    assert eventually(lambda: (nightly.tick(), not nightly.is_under_way)[1])
    assert len(site.signed()) == 1
    nightly.end()
