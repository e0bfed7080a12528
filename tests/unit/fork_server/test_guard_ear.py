"""The ear that hears what a learner's code asks of Python; each in a process of its own: it stays."""

import subprocess
import sys

import pytest

LISTEN = """
import sys
from bioskills.fork_server import guard_ear
said = []
def judge(code, names):
    {judge}
guard_ear.listen(judge, lambda *found: said.append(found))
sys._getframe()
print(said)
"""


@pytest.mark.parametrize(
    ("judge", "heard"),
    [
        ("return True", [("stack_read", "sys._getframe")]),
        ("return False", []),
        # What cannot be judged is said, and what the code does goes on.
        ("raise ValueError", [("guard_failed", "sys._getframe")]),
    ],
)
def test_what_is_asked_is_told_and_what_cannot_be_judged_too(
    judge: str, heard: list[tuple[str, str]]
) -> None:
    command = [sys.executable, "-c", LISTEN.format(judge=judge)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout.strip() == str(heard), done.stderr
