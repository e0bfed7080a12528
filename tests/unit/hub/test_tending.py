"""`bioskills run` goes on when something it does now and then fails, and always stops tidily."""

import subprocess
from pathlib import Path

import pytest

from bioskills.base.settings import Settings
from bioskills.hub.ledger_nightly import Nightly
from bioskills.hub.root_reports import Reports
from bioskills.hub.run import Machine


class Watched(Machine):
    """A machine that counts how often it was stopped, and has one process to wait for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Settings.model_validate({"paths": {"data_dir": str(folder)}}))
        self.supervisor = subprocess.Popen(["sleep", "1"])
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1
        assert self.supervisor is not None
        self.supervisor.kill()
        self.supervisor.wait()


class Late:
    """A clock on which everything is due each time somebody looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1_000_000.0
        return self.now


def test_a_folder_that_cannot_be_written_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Watched(tmp_path)
    machine.reports = Reports(machine.places, 0, Late())
    machine.nightly = Nightly(machine.places, Late())

    assert machine.wait() == 1, "the process it waits for ended by itself"

    told = capsys.readouterr().out
    assert "report.json.new" in told
    assert "ledger.log" in told
    assert machine.stops == 1


def test_whatever_happens_everything_is_stopped(tmp_path: Path) -> None:
    class Broken(Nightly):
        def tick(self) -> None:
            raise RuntimeError

    machine = Watched(tmp_path)
    machine.nightly = Broken(machine.places)

    with pytest.raises(RuntimeError):
        machine.wait()
    assert machine.stops == 1
