"""Grade on this machine, with a few kept processes.

Law: a hand that ends takes its own order with it and no other; the next order gets a
new hand. All hands are forked from one process that has imported everything once, so
that a hand costs milliseconds and little memory.
"""

import multiprocessing
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

from pydantic import TypeAdapter

from bioskills.base.text import _
from bioskills.graders.executors import Failed, Order, Progress, Said, Say
from bioskills.graders.grading import Bench
from bioskills.graders.hand import Run, run_one, work

WARM = "bioskills.graders.warm"
END_S = 5.0
_SAID: TypeAdapter[Said] = TypeAdapter(Said)


@dataclass(eq=False)
class _Hand:
    """One process, the line to it, and what it works on."""

    process: BaseProcess
    line: Any
    order: Order | None = None


class Pool:
    """Hands on this machine; started as they are needed, and kept."""

    def __init__(self, bench: Bench, at_once: int, say: Say, run: Run = run_one) -> None:
        self._bench, self._at_once, self._say, self._run = bench, at_once, say, run
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([WARM])
        self._lock = threading.Lock()
        self._hands: list[_Hand] = []
        self._waiting: deque[Order] = deque()
        self._ended = False
        self._bell, self._ring = os.pipe()
        self._listener = threading.Thread(target=self._listen, name="pool", daemon=True)
        self._listener.start()

    @property
    def at_once(self) -> int:
        """How many orders it works on at one time."""
        return self._at_once

    def submit(self, order: Order) -> None:
        """Begin an order, or let it wait for a free hand."""
        with self._lock:
            self._waiting.append(order)
        self._look_again()

    def close(self) -> None:
        """End all hands, whatever they do."""
        self._ended = True
        self._look_again()
        self._listener.join()
        for one in self._hands:
            one.process.kill()
            one.process.join(END_S)
            one.line.close()
        os.close(self._bell)
        os.close(self._ring)

    def pids(self) -> dict[int, int]:
        """Return the processes that work now, by job."""
        return {h.order.job.id: h.process.pid or 0 for h in list(self._hands) if h.order}

    def _look_again(self) -> None:
        os.write(self._ring, b".")

    def _listen(self) -> None:
        while not self._ended:
            self._hand_out()
            lines: dict[Any, _Hand] = {one.line: one for one in self._hands}
            for ready in connection.wait([self._bell, *lines]):
                if ready == self._bell:
                    os.read(self._bell, 4096)
                else:
                    self._hear(lines[ready])

    def _hand_out(self) -> None:
        """Give waiting orders to free hands, the one that worked last first: it is warmest."""
        while self._waiting:
            one = next((one for one in reversed(self._hands) if one.order is None), None)
            if one is None and len(self._hands) >= self._at_once:
                return
            with self._lock:
                order = self._waiting.popleft()
            try:
                one = one or self._new_hand()
            except (OSError, EOFError) as error:
                message = _("No process for grading could be started: {reason}.")
                self._say(Failed(job=order.job.id, message=message.format(reason=error)))
                continue
            one.order = order
            with suppress(OSError):  # it just ended: its line says so
                one.line.send_bytes(order.model_dump_json().encode())

    def _new_hand(self) -> _Hand:
        ours, theirs = self._context.Pipe()
        given = (theirs, self._bench, self._run)
        process = self._context.Process(target=work, args=given, daemon=True)
        process.start()
        theirs.close()
        found = _Hand(process, ours)
        self._hands.append(found)
        return found

    def _hear(self, one: _Hand) -> None:
        try:
            said = _SAID.validate_json(one.line.recv_bytes())
        except (EOFError, OSError):
            self._lose(one)
            return
        if not isinstance(said, Progress):
            one.order = None
            self._hands.remove(one)
            self._hands.append(one)
        self._say(said)

    def _lose(self, one: _Hand) -> None:
        self._hands.remove(one)
        one.line.close()
        one.process.join(END_S)
        if one.order is not None:
            message = _("The process that graded it ended (code {code}).")
            self._say(
                Failed(
                    job=one.order.job.id,
                    message=message.format(code=one.process.exitcode),
                    at_once=True,
                )
            )
