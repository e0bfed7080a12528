"""Grading on a Dask cluster: workers and the scheduler may end, the job table does not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bioskills_grader import STEPS, Place, check_one_of_each, free_port
from bioskills_product import ENVIRONMENTS

from bioskills.base.places import places_of
from bioskills.base.settings import load_settings
from bioskills.graders.start import bench_of

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Cluster:
    """A scheduler and workers as processes."""

    folder: Path
    port: int
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def settings(self) -> Path:
        return self.folder / "bioskills.toml"

    def start(self, name: str, *words: str) -> None:
        environ = {**os.environ, "BIOSKILLS_SETTINGS": str(self.settings)}
        command = [sys.executable, "-m", "dask", *words]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, stdout=log, stderr=log, env=environ, cwd=self.folder
            )

    def start_scheduler(self) -> None:
        words = ("--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        self.start("scheduler", "scheduler", *words)

    def start_worker(self, name: str) -> None:
        address = f"tcp://127.0.0.1:{self.port}"
        words = ("--nthreads", "2", "--no-dashboard", "--name", name, "--host", "127.0.0.1")
        self.start(name, "worker", address, *words, "--death-timeout", "120", "--no-nanny")

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(20)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("dask"), free_port())
    made.settings.write_text(
        f'[paths]\ndata_dir = "{made.folder}/data"\nenvironments_dir = "{ENVIRONMENTS}"\n'
    )
    made.start_scheduler()
    made.start_worker("one")
    yield made
    for name in list(made.processes):
        made.kill(name)


@pytest.fixture
def far(place: Place, cluster: Cluster) -> Place:
    settings = load_settings(cluster.settings)
    place.key = bench_of(settings, places_of(settings)).key
    place.grading = {"executor": "dask", "dask_scheduler": f"tcp://127.0.0.1:{cluster.port}"}
    return place


def test_a_worker_of_the_cluster_grades_and_the_grader_writes(far: Place, cluster: Cluster) -> None:
    submission = far.hand_in()
    reached, log = far.work()

    assert reached == list(STEPS), log
    check_one_of_each(far, submission)
    assert not [
        path
        for path in (cluster.folder / "data/state/grader/remote").iterdir()
        if path.name != "kits"
    ]
