"""Grade on a worker of a Dask cluster.

Law: a worker is one more machine with an installation of ours: its own settings,
environments, fork server and hands. Dask's threads only carry orders to the hands.
What would be graded with other packages or limits than the grader's is refused.
"""

import hashlib
import io
import itertools
import queue
import shutil
import tarfile
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from distributed import get_worker

from bioskills.base.places import places_of
from bioskills.base.settings import load_settings
from bioskills.base.text import _
from bioskills.base.wire import Job
from bioskills.graders.executors import Done, Failed, Order, Progress, Said
from bioskills.graders.grading import Bench
from bioskills.graders.intake import unpack
from bioskills.graders.own_parent import WardenDoor
from bioskills.graders.pool import Pool
from bioskills.graders.start import bench_of
from bioskills.graders.warm_check import COLD
from bioskills.graders.workshop import PRISTINE, VERSIONS

TOPIC = "bioskills-grading"
REMOTE = "remote"
LENGTH_BYTES = 8


class Hands:
    """The hands of this worker, and the folder they work in."""

    _known: "Hands | None" = None
    _making = threading.Lock()

    def __init__(self, at_once: int) -> None:
        settings = load_settings()
        places = places_of(settings)
        bench = bench_of(settings, places)
        if isinstance(bench.door, WardenDoor) and not bench.door.path.exists():
            bench = replace(bench, door=None)  # nothing but this worker runs on this machine
        self.bench: Bench = replace(bench, door=bench.way_in())
        self.root = places.grader / REMOTE
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._numbers = itertools.count(1)
        self._words: dict[int, queue.SimpleQueue[Said]] = {}
        self._pool = Pool(self.bench, at_once, self._hear)

    @classmethod
    def here(cls, at_once: int) -> "Hands":
        """Return the hands of this process; made at the first order."""
        with cls._making:
            cls._known = cls._known or cls(at_once)
            return cls._known

    def grade(self, order: Order, worker: Any) -> Said:
        """Grade an order, and return the last word about it."""
        number, job = next(self._numbers), order.job.id
        words = self._words[number] = queue.SimpleQueue()
        # Dask may give the same job twice: here every order has a number of its own.
        own = order.job.model_copy(update={"id": number})
        self._pool.submit(order.model_copy(update={"job": own}))
        try:
            while isinstance(said := words.get(), Progress):
                told = said.model_copy(update={"job": job})
                worker.log_event(TOPIC, told.model_dump_json())
        finally:
            del self._words[number]
        return said.model_copy(update={"job": job})

    def _hear(self, said: Said) -> None:
        if said.job in self._words:
            self._words[said.job].put(said)

    def shop(self, kit: bytes) -> Path:
        """Return the folder of a run's pristine gradebook and data files."""
        place = self.root / "kits" / hashlib.sha256(kit).hexdigest()
        if not place.is_dir():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root) as folder:
                (Path(folder) / "kit.tar").write_bytes(kit)
                unpack(Path(folder) / "kit.tar", Path(folder) / "kit")
                with self._making:
                    if not place.is_dir():
                        (Path(folder) / "kit").rename(place)
        return place


def grade_remotely(key: str, kit: bytes, handed_in: bytes, job: str) -> bytes:
    """Grade one hand-in on this worker.

    Args:
        key: What the grader grades with.
        kit: The run's pristine gradebook and the assignment's data files, as tar.
        handed_in: The hand-in, as tar.
        job: A `wire.Job` as JSON.

    Returns:
        The length of the last word, the last word as JSON, and the graded folder as tar.
    """
    worker = get_worker()
    hands = Hands.here(worker.state.nthreads)
    found = Job.model_validate_json(job)
    if hands.bench.key != key:
        message = _(
            "The worker {name} would grade with other packages or limits than this grader, so it did not."
        )
        return packed(Failed(job=found.id, message=message.format(name=worker.name)), b"")
    folder = Path(tempfile.mkdtemp(prefix=f"{found.id}-", dir=hands.root))
    try:
        order = Order(job=found, shop=hands.shop(kit), folder=folder)
        order.tar.write_bytes(handed_in)
        said = hands.grade(order, worker)
        kept = order.kept("autograded")
        graded = sorted(kept.rglob("*")) if isinstance(said, Done) else []
        return packed(said, tar_of(*graded, below=kept))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def packed(said: Said, tree: bytes) -> bytes:
    """Return a last word and a tree as one piece."""
    word = said.model_dump_json().encode()
    return len(word).to_bytes(LENGTH_BYTES, "big") + word + tree


def unpacked(piece: bytes) -> tuple[bytes, bytes]:
    """Return the last word and the tree of one piece."""
    end = LENGTH_BYTES + int.from_bytes(piece[:LENGTH_BYTES], "big")
    return piece[LENGTH_BYTES:end], piece[end:]


def kit_of(shop: Path, assignment: str) -> bytes:
    """Return what gradings of an assignment need of a run's folder, as tar: no source notebook."""
    own = (f"{kind}/{assignment}" for kind in ("source", "release", VERSIONS))
    wanted = (PRISTINE, COLD, *own)
    return tar_of(*(path for name in wanted for path in _files(shop / name)), below=shop)


def newest(shop: Path) -> int:
    """Return what grows when a run's kits change."""
    return max((shop / n).stat().st_mtime_ns for n in (PRISTINE, COLD) if (shop / n).exists())


def _files(path: Path) -> list[Path]:
    secret = path.parent.name == "source"  # with the solutions and the hidden tests
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in found if not (secret and file.suffix == ".ipynb")]


def tar_of(*files: Path, below: Path) -> bytes:
    """Return the regular ones of these files as tar, named by their way below a folder."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            if path.is_file() and not path.is_symlink():
                archive.add(path, arcname=str(path.relative_to(below)), recursive=False)
    return body.getvalue()
