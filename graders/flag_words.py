"""What each kind of flag means, in a sentence for the instructor.

Law: a flag asks a person to look; it takes no points and accuses nobody. A
sentence says what the code does and why that matters to tests, and holds
nothing a learner wrote: of names, only those of Python and its libraries.
"""

from collections.abc import Iterable, Mapping

from bioskills.base.text import _
from bioskills.base.wire import Flag

MOST_DETAIL = 80


def flag(code: str, cell: str = "", detail: str = "") -> Flag:
    """Return the flag of this kind.

    Args:
        code: A key of `sentences`; what is not known is said in general words.
        cell: `<notebook>/<grade_id>`, or empty.
        detail: The name of what was touched, such as `numpy.testing.assert_equal`.
    """
    words = sentences().get(code, _("The code does something that can change what tests say."))
    shown = detail if detail.isprintable() and len(detail) <= MOST_DETAIL else ""
    return Flag(code=code, cell=cell, message=f"{words} ({shown})" if shown else words)


def flags(found: Iterable[tuple[str, str]], cell: str = "") -> list[Flag]:
    """Return one flag for each kind that the guard found, with the first name of each."""
    first: dict[str, str] = {}
    for code, detail in found:
        first.setdefault(code, detail)
    return [flag(code, cell, detail) for code, detail in first.items()]


def sentences() -> Mapping[str, str]:
    """Return the sentence of each kind, in the reader's language."""
    return {**_of_the_kernel(), **_of_python(), **_of_objects(), **_of_places()}


def _of_the_kernel() -> dict[str, str]:
    return {
        "ast_transformer": _("Code is rewritten before it runs, the tests' code too."),
        "input_transformer": _("The text of cells is rewritten before it runs, the tests' too."),
        "event_hook": _("Something runs by itself before or after each cell, tests included."),
        "shell_patched": _("A part of the kernel that runs cells was replaced."),
        "shell_reached": _("The code works on the kernel that runs its tests."),
        "kernel_patched": _("The part of the kernel that reports results was replaced."),
        "stream_replaced": _("The way in which output or errors leave the kernel was replaced."),
        "display_changed": _("Numbers are shown in another way; points can be read from them."),
        "error_hidden": _("A cell failed without an error that one could see."),
        "canary_passed": _("A check that must fail did not fail: tests prove nothing here."),
        "guard_failed": _("The kernel could not be compared with how it was before."),
        "history_read": _("The code reads the text of cells that ran, tests included."),
        "magic_used": _("A command of the notebook reads or runs what lies outside the answer."),
        "script_shown": _("The answer brings a script for the browser of whoever opens it."),
    }


def _of_python() -> dict[str, str]:
    return {
        "trace_set": _("The code watches each step that Python takes, also in tests."),
        "stack_read": _("The code looks at who calls it, and so at the test and its values."),
        "memory_search": _("The code searches the memory of the whole process."),
        "memory_access": _("The code reads or writes memory past Python's rules."),
        "code_changed": _("The code makes or changes functions from the inside."),
        "import_hook": _("The code decides what an import gives, for tests too."),
        "module_replaced": _("A library was replaced by something else."),
        "library_changed": _("A function or class of a library was replaced."),
        "test_helper_changed": _("A function with which tests compare was replaced."),
        "builtin_changed": _("A function that is built into Python was replaced everywhere."),
        "shadowed_builtin": _("A name that Python or a library has got a meaning that is wrong."),
        "runs_text": _("The code runs text that is only known when it runs."),
        "hidden_name": _("The code puts together names of Python's inside from pieces."),
        "names_reached": _("The code reaches for names outside its own, such as those of tests."),
        "thread_started": _("The code starts something that goes on while tests run."),
        "thread_left": _("Something of the answer still runs while tests run."),
        "signal_handler": _("A clock or signal of the answer can interrupt a test."),
        "signal_sent": _("The code sends signals to processes."),
        "process_forked": _("The code makes a copy of the process that is graded."),
    }


def _of_objects() -> dict[str, str]:
    return {
        "ignores_operand": _("Objects say that they equal, or lie below, anything at all."),
        "array_hook": _("Objects decide what numpy sees when it compares them."),
        "type_hook": _("Objects or classes lie about their type."),
        "answers_every_name": _("Objects have every attribute that one asks for."),
        "mock_used": _("Objects made for testing are used, which agree with anything."),
        "helper_redefined": _("A function that the assignment gave, and tests use, was replaced."),
        "knows_tests": _("The answer holds names that stand in hidden tests alone."),
        "not_plain": _("The answer gave something other than plain data to a test."),
    }


def _of_places() -> dict[str, str]:
    return {
        "network_used": _("The code opens a connection."),
        "process_files": _("The code reads what the system says about processes."),
        "outside_file": _("The code reads files outside the folder of the assignment."),
        "grader_file": _("The code looks for notebooks, grades or parts of the grader."),
    }
