"""Grade on the workers of a Dask cluster.

Law: Dask only carries; our job table is the record. Dask runs an order at least once
and forgets its queue when it ends: what is lost goes back to the table. Results come
back as bytes that are read as data: a JSON text and a tar, never an object. Whoever
speaks to a scheduler can run code on its workers, so it is spoken to over TLS with
keys of the cluster, or on this machine alone.
"""

import logging
import threading
from contextlib import suppress
from typing import Any

from distributed import Client, KilledWorker, Security
from pydantic import TypeAdapter

from bioskills.base.settings import Grading
from bioskills.base.text import _
from bioskills.graders.dask_worker import TOPIC, grade_remotely, kit_of, newest, unpacked
from bioskills.graders.executors import Done, Failed, Order, Progress, Said, Say
from bioskills.graders.intake import unpack
from bioskills.graders.workshop import stamp

CONNECT_S = 10
AS_DATA = ("dask", "msgpack", "error")
"""How results may be written: none of these makes an object of ours while it is read."""
_SAID: TypeAdapter[Said] = TypeAdapter(Said)
log = logging.getLogger("bioskills.grader")


class DaskExecutor:
    """Hands on other machines, or on this one, by way of a Dask scheduler."""

    def __init__(self, given: Grading, key: str, say: Say) -> None:
        self._given, self._key, self._say = given, key, say
        self._client: Any = None
        self._kits: dict[str, Any] = {}
        self._futures: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._ended = False

    @property
    def at_once(self) -> int:
        """How many orders all workers take at one time; 0 while the scheduler is away."""
        client = self._connected()
        try:
            workers = client.scheduler_info()["workers"].values() if client else ()
        except (OSError, TimeoutError):
            return 0
        return sum(int(worker["nthreads"]) for worker in workers)

    def submit(self, order: Order) -> None:
        """Give an order to the scheduler."""
        client = self._connected()
        if client is None:
            self._say(self._away(order))
            return
        future = client.submit(
            grade_remotely,
            self._key,
            self._kit(client, order),
            order.tar.read_bytes(),
            order.job.model_dump_json(),
            key=f"grade-{order.job.id}-{order.folder.name}",
            pure=False,
        )
        self._futures[order.job.id] = future
        future.add_done_callback(lambda done: self._end(order, done))

    def close(self) -> None:
        """Give up everything that was begun; a worker ends its order and nobody reads it."""
        self._ended = True
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, TimeoutError):
                if client.status == "running":
                    client.cancel(list(self._futures.values()), force=True)
                client.close(timeout=5)

    def _connected(self) -> Any:
        """Return a client that is connected now, or None."""
        with self._lock:
            if self._client is None or self._client.status == "closed":
                self._client = None if self._ended else self._connect()
            client = self._client
        return client if client is not None and client.status == "running" else None

    def _connect(self) -> Any:
        try:
            client = Client(
                self._given.dask_scheduler,
                security=_security(self._given),
                timeout=CONNECT_S,
                set_as_default=False,
                deserializers=list(AS_DATA),
            )
        except (OSError, TimeoutError) as error:
            log.warning("The Dask scheduler does not answer (%s); trying again.", error)
            return None
        client.subscribe_topic(TOPIC, self._hear)
        self._kits.clear()
        return client

    def _hear(self, event: tuple[float, str]) -> None:
        said = _SAID.validate_json(event[1])
        if isinstance(said, Progress) and not self._ended:
            self._say(said)

    def _kit(self, client: Any, order: Order) -> Any:
        """Return what all gradings of an assignment share; it is carried to each worker once."""
        assignment = order.job.assignments[0]
        mark = f"{order.shop}/{assignment} {newest(order.shop)}"
        known = self._kits.get(mark)
        if known is None or known.status in {"cancelled", "lost", "error"}:
            kit = kit_of(order.shop, assignment)
            # A task, not data laid onto a worker: it is made again where that worker ends.
            known = self._kits[mark] = client.submit(bytes, kit)
        return known

    def _end(self, order: Order, future: Any) -> None:
        if self._ended:
            return
        try:
            self._say(self._last_word(order, future))
        except Exception as error:  # noqa: BLE001 - Dask would keep it, and nobody would hear of the order again
            self._say(Failed(job=order.job.id, message=f"{type(error).__name__}: {error}"))

    def _last_word(self, order: Order, future: Any) -> Said:
        self._futures.pop(order.job.id, None)
        if future.cancelled():
            return self._away(order)
        error = future.exception()
        if isinstance(error, KilledWorker):
            message = _("Every worker that graded it ended.")
            return Failed(job=order.job.id, message=message, at_once=True)
        if error is not None:
            return Failed(job=order.job.id, message=f"{type(error).__name__}: {error}")
        return self._laid_out(order, future.result())

    def _laid_out(self, order: Order, piece: bytes) -> Said:
        """Put what came back where a hand of this machine would have put it."""
        word, tree = unpacked(piece)
        said = _SAID.validate_json(word)
        if isinstance(said, Done):
            unpack(order.tar, order.kept("submitted"))
            stamp(order.kept("submitted"), order.job)
            (order.folder / "autograded.tar").write_bytes(tree)
            unpack(order.folder / "autograded.tar", order.kept("autograded"))
        return said

    @staticmethod
    def _away(order: Order) -> Failed:
        message = _("The Dask scheduler was lost while it had this job.")
        return Failed(job=order.job.id, message=message, at_once=True, counts=False)


def _security(given: Grading) -> Security | None:
    if not given.dask_scheduler.startswith("tls:"):
        return None
    return Security(
        tls_ca_file=given.dask_ca,
        tls_client_cert=given.dask_certificate,
        tls_client_key=given.dask_key,
        require_encryption=True,
    )
