"""A grading slot runs one program as a uid of its own and leaves nothing of it."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from bioskills_waiting import eventually

from bioskills.fork_server import child, slots, wire
from bioskills.fork_server.config import Config
from bioskills.fork_server.door import Caller
from bioskills.fork_server.linux import start_time

FIRST_SLOT = 790_070
LIMITS = {"memory_mb": 128, "processes": 16}


@pytest.fixture
def grading(installation: Config) -> Config:
    return replace(installation, grader_uid=790_060, first_slot_uid=FIRST_SLOT, slots=2)


@contextmanager
def asked(config: Config) -> Iterator[socket.socket]:
    """A slot's connection, as the grader holds it."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        caller = Caller(theirs, os.getppid(), config.grader_uid, time.monotonic())
        child.run(lambda: serve(config, caller))
    theirs.close()
    ours.settimeout(120)
    with ours:
        yield ours
    os.waitpid(pid, 0)


def serve(config: Config, caller: Caller) -> None:
    try:
        slots.serve(config, caller, wire.Request("slot", mode="exec", limits=LIMITS))
    except slots.NoSlotError:
        caller.answer({"failed": wire.BUSY})


def start(line: socket.socket, script: str) -> None:
    payload = {"args": ["/bin/bash", "-c", script], "env": {"PATH": "/usr/bin:/bin"}, "cwd": "/"}
    line.sendall(wire.line_of(payload))


def first_line(line: socket.socket) -> dict[str, int]:
    """Read exactly one line: what follows it is the program's."""
    found = bytearray()
    while not found.endswith(b"\n"):
        found += line.recv(1)
    return dict(json.loads(found))


def rest(line: socket.socket) -> list[str]:
    with line.makefile("r") as file:
        return file.read().splitlines()


def alive(uid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-u", str(uid)], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split() if start_time(int(pid))]


def test_a_program_has_a_uid_of_its_own_and_speaks_over_its_connection(grading: Config) -> None:
    with asked(grading) as line:
        uid = first_line(line)["slot"]
        start(line, "(id -u; id -G; ls /proc/self/fd | wc -l) >&3; cat <&3 >&3")
        line.sendall(b"given\n")
        line.shutdown(socket.SHUT_WR)
        said = rest(line)
    assert FIRST_SLOT <= uid < FIRST_SLOT + 2
    assert said[:2] == [str(uid), str(uid)]
    assert int(said[2]) <= 5
    assert said[3] == "given"
    assert json.loads(said[-1]) == {"exit": 0}


def test_two_programs_never_have_one_uid_and_a_third_is_told_to_wait(grading: Config) -> None:
    with asked(grading) as one, asked(grading) as two:
        uids = {first_line(one)["slot"], first_line(two)["slot"]}
        assert len(uids) == 2
        with asked(grading) as three:
            assert first_line(three) == {"failed": wire.BUSY}
        for line in (one, two):
            start(line, "exit 3")
            assert [json.loads(text) for text in rest(line)] == [{"exit": 3}]


def test_what_a_program_leaves_running_ends_with_it(grading: Config) -> None:
    with asked(grading) as line:
        uid = first_line(line)["slot"]
        start(line, "setsid sleep 1000 3>&- & setsid bash -c 'trap \"\" TERM; sleep 1000' & exit 0")
        assert json.loads(rest(line)[-1]) == {"exit": 0}
        assert alive(uid) == []


def test_a_caller_that_goes_away_ends_its_program(grading: Config) -> None:
    with asked(grading) as line:
        uid = first_line(line)["slot"]
        start(line, "sleep 1000")
        assert eventually(lambda: alive(uid))
    assert alive(uid) == []


def test_a_fork_bomb_ends_at_the_limit_and_the_last_word_is_ours(grading: Config) -> None:
    with asked(grading) as line:
        uid = first_line(line)["slot"]
        bomb = ':(){ :|:& };: 2>/dev/null; echo \'{"exit": 0, "forged": true}\' >&3; exit 9'
        start(line, bomb)
        said = rest(line)
    assert json.loads(said[-1]) == {"exit": 9}
    assert alive(uid) == []


@pytest.mark.parametrize("args", [[], ["bash"], ["../bash"]])
def test_a_program_needs_its_whole_path(grading: Config, args: list[str]) -> None:
    with asked(grading) as line:
        first_line(line)
        line.sendall(wire.line_of({"args": args}))
        assert json.loads(rest(line)[-1])["exit"] != 0


def test_while_no_parent_is_there_no_box_is_made_and_it_is_said_as_such(
    grading: Config, tmp_path: Path
) -> None:
    with pytest.raises(slots.NoParentError, match="not there yet"):
        slots.make_box(replace(grading, run_dir=tmp_path), FIRST_SLOT, LIMITS, b"{}\n")
