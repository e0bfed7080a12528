"""What `ps` shows of a forked process; each in a process of its own."""

import subprocess
import sys

import pytest

SHOW = """
import sys
from bioskills.fork_server import title
title.set_words(sys.argv[2:] if sys.argv[1] == "few" else sys.argv[2:] * 40)
sys.stdout.write(open("/proc/self/cmdline").read())
import os, subprocess
assert subprocess.run(["printenv", "MARK"], capture_output=True, text=True).stdout == "x\\n"
"""


def shown(*words: str) -> str:
    env = {"MARK": "x", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", SHOW, *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout


def test_other_words_are_shown() -> None:
    assert shown("few", "python", "-m", "kernel").rstrip("\0") == "python\0-m\0kernel"


def test_words_beyond_the_room_are_shortened() -> None:
    text = shown("many", "a-long-word-for-a-command-line")

    assert text.startswith("a-long-word-for-a-command-line a-long")
    assert "\0" not in text.rstrip("\0")


@pytest.mark.parametrize("word", ["ä" * 40, "\udcff"])
def test_any_text_can_be_shown(word: str) -> None:
    assert shown("few", word)
