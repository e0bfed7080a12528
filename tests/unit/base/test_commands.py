"""The command line as a shell sees it."""

import subprocess
import sys

import pytest

MAIN = "import sys; from bioskills.base.commands import main; sys.exit(main(sys.argv[1:]))"


def call(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", MAIN, *words], capture_output=True, text=True)


def test_a_reader_that_leaves_early_ends_the_command_quietly() -> None:
    line = f'"{sys.executable}" -c "{MAIN}" settings list | head -c 1; echo " ${{PIPESTATUS[0]}}"'

    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)

    assert done.stderr == ""
    assert done.stdout.split()[-1] in {"141", "0"}


def test_an_answer_into_a_closed_pipe_is_not_a_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "settings", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()

    assert (process.wait(), said) == (141, "")


@pytest.mark.parametrize(
    ("word", "near"), [("cohrot", "bioskills cohort"), ("doctr", "bioskills doctor")]
)
def test_an_unknown_noun_is_answered_with_the_nearest(word: str, near: str) -> None:
    done = call(word)

    assert done.returncode == 2
    assert f"Did you mean: {near}" in done.stderr


def test_a_persons_mistake_is_a_sentence_and_not_a_traceback(tmp_path: object) -> None:
    done = call("cohort", "plan", "no-such-file.toml")

    assert done.returncode == 2
    assert done.stderr == "no-such-file.toml: cannot be read: No such file or directory.\n"


def test_no_words_list_the_commands() -> None:
    done = call()

    assert done.returncode == 0
    assert {"  bioskills run", "  bioskills doctor"} <= set(done.stdout.splitlines())
