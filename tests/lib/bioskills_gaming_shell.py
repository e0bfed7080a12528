# ruff: noqa: PLC0415, RUF012, ARG002, BLE001
"""Runs cells in a real IPython kernel's shell, one fork for each case, guarded.

Reads JSON from its first argument's file: `{"cases": [{"name", "cells": [..], "canary": {..}}]}`.
Writes one JSON object to the second: by name, what the guard found, how each
cell ended and what the canary replied. Runs in the course environment.
"""

import gc
import json
import os
import resource
import sys
import tempfile
import traceback

PREIMPORTS = ("matplotlib.pyplot", "numpy", "pandas", "Bio.SeqIO", "Bio.Seq", "Bio.SeqRecord",
              "Bio.SeqUtils", "Bio.Align", "Bio.GenBank")  # fmt: skip


def make_kernel():
    # After the variables that ipykernel reads, and where the others are preimported.
    from ipykernel.ipkernel import IPythonKernel
    from jupyter_client.session import Session

    class Kept(Session):
        """Keeps what would go to the browser."""

        sent = []

        def send(self, stream, msg_or_type, content=None, *args, **options):
            kind = msg_or_type if isinstance(msg_or_type, str) else msg_or_type["msg_type"]
            self.sent.append([kind, content if content is not None else msg_or_type["content"]])

    return IPythonKernel(session=Kept())


def run(shell, source, *, silent=False):
    sent = shell.kernel.session.sent
    before = len(sent)
    result = shell.run_cell(source, store_history=not silent, silent=silent)
    outputs = [{"output_type": kind} for kind, _content in sent[before:]]
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return {"status": "ok", "ename": "", "evalue": "", "value": repr(result.result)[:200]}
    error = {"status": "error", "ename": type(error).__name__, "evalue": str(error)}
    return {**error, "outputs": outputs}


def cpu():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def play(case, shell, check, baseline, veil):
    said = {"ended": [], "found": [], "ms": [], "told": TOLD}
    check(baseline, shell)
    count = shell.execution_count
    for source in case["cells"]:
        said["ended"].append(run(shell, source))
        began = cpu()
        found = check(baseline, shell)
        said["ms"].append((cpu() - began) * 1000)
        said["found"] += [list(one) for one in found if list(one) not in said["found"]]
    if case.get("canary"):
        said["canary"] = run(shell, case["canary"], silent=True)
    veil(True)
    for source in case.get("tests", ()):
        said["ended"].append(run(shell, source))
        found = check(baseline, shell)
        said["found"] += [list(one) for one in found if list(one) not in said["found"]]
    said["count"] = shell.execution_count - count
    said["left"] = [n for n in shell.user_ns if len(n) > 8 and n[1:].isalnum() and n[0] == "_"
                    and not n[1:].isdigit() and n[1:3] != "ih"]  # fmt: skip
    return said


TOLD = []


def main(given, answer):
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    import importlib

    for name in PREIMPORTS:
        importlib.import_module(name)
    shell = make_kernel().shell
    from bioskills.fork_server import guard

    veil = guard.veil(shell)
    began = cpu()
    baseline = guard.take(shell, lambda *one: TOLD.append(list(one)))
    taken = (cpu() - began) * 1000
    check = guard.check
    for name in [n for n in sys.modules if n.startswith("bioskills")]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()
    answers = {"": {"take_ms": taken}}
    with open(given) as file:
        cases = json.load(file)
    for case in cases:
        answers[case["name"]] = forked(case, shell, check, baseline, veil)
    with open(answer, "w") as file:
        json.dump(answers, file)


def forked(case, shell, check, baseline, veil):
    """Run one case in a fork with a folder of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            os.chdir(tempfile.mkdtemp())
            for name, text in case.get("files", {}).items():
                with open(name, "w") as file:
                    file.write(text)
            sys.stdout.flush()
            said = play(case, shell, check, baseline, veil)
        except BaseException:
            said = {"failed": traceback.format_exc()}
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        text = file.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else {"failed": "it ended without a word"}


if __name__ == "__main__":
    main(*sys.argv[1:])
