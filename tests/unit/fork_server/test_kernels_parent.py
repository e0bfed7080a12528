"""What the warm parent of kernels refuses to serve with; each in a process of its own."""

import subprocess
import sys

import pytest


def outcome(code: str) -> str:
    command = [sys.executable, "-c", f"from bioskills.fork_server import kernels, warm\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stderr if done.returncode else done.stdout
    return said.strip().splitlines()[-1]


READY = """
import gc, os
print(kernels.import_all([{names}]))
kernels.end_pools()
warm.refuse_threads()
kernels.refuse_contexts()
print("ready", len(os.listdir("/proc/self/task")))
"""


def test_what_kernels_need_is_imported_without_thread_loop_or_context() -> None:
    assert outcome(READY.format(names="")) == "ready 1"


def test_number_libraries_end_their_threads_and_start_them_again() -> None:
    more = """
pid = os.fork()
if pid == 0:
    import numpy as np
    a = np.ones((400, 400))
    os._exit(int((a @ a).sum() != 400 ** 3))
print(os.waitpid(pid, 0)[1])
"""
    assert outcome(READY.format(names="'numpy', 'pandas'") + more) == "0"


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ("import zmq; zmq.Context.instance()", "a ZeroMQ context"),
        (
            "import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()",
            "2 threads",
        ),
        ("import asyncio; asyncio.set_event_loop(asyncio.new_event_loop())", "an event loop"),
    ],
)
def test_a_parent_that_cannot_fork_safely_does_not_serve(first: str, why: str) -> None:
    assert why in outcome(first + READY.format(names=""))


def test_modules_that_ask_which_kernel_they_are_in_are_not_imported_before() -> None:
    code = "import sys; kernels.import_all(kernels.NEVER); print([n in sys.modules for n in kernels.NEVER])"

    assert outcome(code) == "[False]"


def test_a_warning_at_import_is_given_to_each_learner_anew() -> None:
    code = """
import warnings, sys, types
module = types.ModuleType("m"); sys.modules["m"] = module
exec("import warnings\\ndef f(): warnings.warn('look')", vars(module))
with warnings.catch_warnings(record=True):
    warnings.simplefilter("default"); module.f()
assert "__warningregistry__" in vars(module)
kernels.forget_warnings()
print("__warningregistry__" in vars(module))
"""
    assert outcome(code) == "False"


def test_variables_that_the_kernels_own_modules_set_are_told() -> None:
    assert "PYDEVD_USE_FRAME_EVAL" in outcome("print(kernels.import_all([]))")
