"""Grading on a Dask cluster: workers and the scheduler may end, the job table does not."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bioskills_grader import STEPS, Place, check_one_of_each, end_own_parent
from bioskills_ports import free_port
from bioskills_product import ENVIRONMENTS
from bioskills_waiting import eventually
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bioskills.base.places import places_of
from bioskills.base.settings import load_settings
from bioskills.base.tables import Result
from bioskills.graders.start import bench_of

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]
ALONE = {"scheduler": "127.0.0.1", "one": "127.0.0.1", "two": "127.0.0.1"}


@dataclass
class Cluster:
    """A scheduler and workers as processes, each perhaps in a network namespace of its own.

    Attributes:
        addresses: Where each of them is, by name.
        spaces: Its network namespace, by name; this machine's own where none is named.
    """

    folder: Path
    port: int
    addresses: dict[str, str] = field(default_factory=lambda: dict(ALONE))
    spaces: dict[str, str] = field(default_factory=dict)
    tls: bool = False
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{'tls' if self.tls else 'tcp'}://{self.addresses['scheduler']}:{self.port}"

    @property
    def grading(self) -> dict[str, Any]:
        keys = {f"dask_{name}": str(self.folder / f"{name}.pem") for name in KEYS}
        return {"executor": "dask", "dask_scheduler": self.url, **(keys if self.tls else {})}

    def start(self, name: str) -> None:
        host = ("--host", self.addresses[name])
        if name == "scheduler":
            words = ["scheduler", "--port", str(self.port), *host]
        else:
            ends = ("--no-nanny", "--death-timeout", "120")
            words = ["worker", self.url, "--nthreads", "2", "--name", name, *host, *ends]
        files = zip(("--tls-ca-file", "--tls-cert", "--tls-key"), KEYS, strict=True)
        if self.tls:
            words += [w for option, key in files for w in (option, str(self.folder / f"{key}.pem"))]
        inside = ("ip", "netns", "exec", self.spaces[name]) if name in self.spaces else ()
        environ = {**os.environ, "BIOSKILLS_SETTINGS": str(self.folder / f"{name}.toml")}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*inside, sys.executable, "-m", "dask", *words, "--no-dashboard"],
                stdout=log,
                stderr=log,
                env=environ,
                cwd=self.folder,
            )

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        end_own_parent(process.pid)

    def said(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


KEYS = ("ca", "certificate", "key")


def make_keys(folder: Path) -> None:
    """Write an authority and one key for all of a cluster, as PEM files."""
    moment, authority, own = datetime.now(UTC), new_key(), new_key()
    issuer = x509.Name.from_rfc4514_string("CN=cluster of a test")
    for name, subject, key in (("ca", issuer, authority), ("certificate", "CN=node", own)):
        named = (
            subject if isinstance(subject, x509.Name) else x509.Name.from_rfc4514_string(subject)
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(named)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment - timedelta(hours=1))
            .not_valid_after(moment + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def in_folder(folder: Path, **more: Any) -> Cluster:
    """Return a cluster whose workers each have an installation of their own."""
    for name in ("scheduler", "one", "two"):
        (folder / f"{name}.toml").write_text(
            f'[paths]\ndata_dir = "{folder}/{name}"\nenvironments_dir = "{ENVIRONMENTS}"\n'
        )
    return Cluster(folder, free_port(), **more)


def end(cluster: Cluster) -> None:
    for name in list(cluster.processes):
        cluster.kill(name)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = in_folder(tmp_path)
    made.start("scheduler")
    made.start("one")
    yield made
    end(made)


def send_far(place: Place, cluster: Cluster) -> None:
    settings = load_settings(cluster.folder / "one.toml")
    place.key = bench_of(settings, places_of(settings)).key
    place.grading = cluster.grading


@pytest.fixture
def far(place: Place, cluster: Cluster) -> Place:
    """A grader whose hands are on the cluster."""
    send_far(place, cluster)
    return place


def until_graded_remotely(cluster: Cluster, worker: str) -> None:
    """Wait until this worker works on an order."""
    remote = cluster.folder / worker / "state/grader/remote"
    glob = "*-*/slot/submitted"
    assert eventually(lambda: list(remote.glob(glob)), 200, step=0.05), cluster.said()


def left_over(cluster: Cluster, worker: str) -> list[str]:
    remote = cluster.folder / worker / "state/grader/remote"
    return [path.name for path in remote.iterdir() if path.name != "kits"]


def test_a_worker_of_the_cluster_grades_and_the_grader_writes(far: Place, cluster: Cluster) -> None:
    submission = far.hand_in()
    reached, log = far.work()

    assert reached == list(STEPS), log
    check_one_of_each(far, submission)
    assert eventually(lambda: not left_over(cluster, "one")), left_over(cluster, "one")


def test_a_worker_that_is_killed_costs_no_grading(far: Place, cluster: Cluster) -> None:
    submission = far.hand_in()
    process = far.grader()
    until_graded_remotely(cluster, "one")
    cluster.kill("one")
    cluster.start("two")
    steps, log = process.communicate(timeout=400)

    assert (process.returncode, steps.split()) == (0, list(STEPS)), log
    check_one_of_each(far, submission)


def test_a_scheduler_that_is_killed_costs_no_grading_and_no_try(
    far: Place, cluster: Cluster
) -> None:
    submission = far.hand_in()
    process = far.grader()
    until_graded_remotely(cluster, "one")
    cluster.kill("scheduler")
    cluster.kill("one")
    cluster.start("scheduler")
    cluster.start("two")
    steps, log = process.communicate(timeout=400)

    assert process.returncode == 0, log
    assert steps.split()[-len(STEPS) :] == list(STEPS), log
    assert steps.split().count("graded") == 1
    assert far.job_of(submission).tries == 1
    check_one_of_each(far, submission)


def test_a_worker_with_other_packages_or_limits_grades_nothing(
    far: Place, cluster: Cluster
) -> None:
    submission = far.hand_in()
    far.key = "course:another"
    _steps, log = far.work()

    assert "would grade with other packages or limits" in log
    assert far.job_of(submission).state == "queued"
    assert far.rows(Result, submission_id=submission) == []


@pytest.fixture
def spread(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster on three machines: network namespaces that meet at a bridge, TLS between them."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    names = {name: f"bsh{os.getpid()}{name[:2]}" for name in ("scheduler", "one", "two")}
    addresses = {name: f"10.213.77.{n}" for n, name in enumerate(names, start=2)}
    make_keys(tmp_path)
    made = in_folder(tmp_path, addresses=addresses, spaces=names, tls=True)
    try:
        join(names, addresses)
        for name in names:
            made.start(name)
        yield made
    finally:
        end(made)
        for space in names.values():
            subprocess.run(["ip", "netns", "delete", space], check=False)


def join(spaces: dict[str, str], addresses: dict[str, str]) -> None:
    """Make the namespaces and lay a cable from each, and from here, to the scheduler's bridge."""
    middle, here = spaces["scheduler"], f"bsh{os.getpid()}"
    for space in spaces.values():
        ip("netns", "add", space)
        ip("-n", space, "link", "set", "lo", "up")
    ip("-n", middle, "link", "add", "br0", "type", "bridge")
    ip("-n", middle, "address", "add", f"{addresses['scheduler']}/24", "dev", "br0")
    ip("-n", middle, "link", "set", "br0", "up")
    for name, space in [("here", ""), *spaces.items()]:
        if name == "scheduler":
            continue
        own, far = (f"{here}h", f"{here}x") if not space else ("eth0", f"{here}{name}")
        cable = ("link", "add", own, "type", "veth", "peer", "name", far, "netns", middle)
        ip(*(("-n", space) if space else ()), *cable)
        ip("-n", middle, "link", "set", far, "master", "br0", "up")
        at = addresses[name] if space else "10.213.77.1"
        ip(*(("-n", space) if space else ()), "address", "add", f"{at}/24", "dev", own)
        ip(*(("-n", space) if space else ()), "link", "set", own, "up")


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)


def test_three_machines_grade_over_tls_and_one_may_die(place: Place, spread: Cluster) -> None:
    send_far(place, spread)
    submissions = [place.hand_in(who=who) for who in ("lea", "max")]
    process = place.grader()
    until_graded_remotely(spread, "one")
    spread.kill("one")
    steps, log = process.communicate(timeout=400)

    assert process.returncode == 0, log
    assert steps.split().count("delivered") >= len(submissions), log
    assert [place.job_of(one).state for one in submissions] == ["done", "done"]
    assert [len(place.rows(Result, submission_id=one)) for one in submissions] == [1, 1]
    check_one_of_each(place, submissions[0])
