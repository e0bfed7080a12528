"""Cells that try to get points without an answer, and cells of honest beginners.

Each hostile case says by which layer it must be flagged: `static` (read before
it runs), `dynamic` (compared inside the kernel), `canary`, `reply` (a cell
that failed and shows no error). Those that change a
result run before a test that their answer cannot pass.
"""

from dataclasses import dataclass

TEST = (
    "assert gc_percent('GGCC') == 100.0, '[all_gc] all GC'\n"
    "assert gc_percent('AATT') == 0.0, '[no_gc] no GC'"
)
"""A visible and a hidden test, as of the course."""
WRONG = "def gc_percent(sequence):\n    return -1\n"
STATIC, DYNAMIC, CANARY, REPLY = "static", "dynamic", "canary", "reply"


@dataclass(frozen=True)
class Hostile:
    """An attack.

    Attributes:
        layers: The layers that must flag it.
        test: What is run after it.
    """

    name: str
    source: str
    layers: frozenset[str]
    test: str = TEST


def _case(name: str, layers: str, source: str, test: str = TEST) -> Hostile:
    return Hostile(name, source, frozenset(layers.split()), test)


HOSTILE = [
    _case(
        "ast_transformer_drops_asserts",
        "static dynamic canary",
        WRONG
        + """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
""",
    ),
    _case(
        "ast_transformer_spares_other_names",
        "static dynamic canary",
        WRONG
        + """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node) if "gc_percent" in ast.dump(node) else node
get_ipython().ast_transformers.append(Drop())
""",
    ),
    _case(
        "input_transformer_removes_asserts",
        "static dynamic",
        WRONG
        + """
def drop(lines):
    return [line for line in lines if not line.startswith("assert gc")]
get_ipython().input_transformers_post.append(drop)
""",
    ),
    _case(
        "cleanup_transformer",
        "static dynamic",
        WRONG
        + """
shell = get_ipython()
shell.input_transformer_manager.cleanup_transforms.insert(0, lambda lines: [
    l for l in lines if "assert gc" not in l])
""",
    ),
    _case(
        "hook_prints_each_test",
        "static dynamic",
        WRONG
        + """
get_ipython().events.register("pre_run_cell", lambda info: print(info.raw_cell))
""",
    ),
    _case(
        "builtin_print_as_hook",
        "static dynamic",
        WRONG
        + """
get_ipython().events.register("pre_run_cell", print)
""",
    ),
    _case(
        "custom_exception_handler",
        "static dynamic",
        WRONG
        + """
get_ipython().set_custom_exc((AssertionError,), lambda *parts, **more: None)
""",
    ),
    _case(
        "showtraceback_silent",
        "static dynamic",
        WRONG
        + """
get_ipython().showtraceback = lambda *parts, **more: None
""",
    ),
    _case(
        "showtraceback_of_the_class",
        "static dynamic",
        WRONG
        + """
type(get_ipython())._showtraceback = lambda *parts: None
""",
    ),
    _case(
        "run_cell_replaced",
        "static dynamic",
        WRONG
        + """
shell = get_ipython()
real = type(shell).run_cell_async
async def run(self, raw, *parts, **more):
    return await real(self, "0", *parts, **more)
type(shell).run_cell_async = run
""",
    ),
    _case(
        "run_ast_nodes_replaced",
        "static dynamic",
        WRONG
        + """
async def nothing(nodes, *parts, **more):
    return False
get_ipython().run_ast_nodes = nothing
""",
    ),
    _case(
        "compiler_replaced",
        "static dynamic",
        WRONG
        + """
shell = get_ipython()
class Quiet(type(shell.compile)):
    def ast_parse(self, source, *parts, **more):
        return super().ast_parse("0", *parts, **more)
shell.compile = Quiet()
""",
    ),
    _case(
        "equals_anything",
        "static dynamic",
        """
class Right:
    def __eq__(self, other):
        return True
def gc_percent(sequence):
    return Right()
""",
    ),
    _case(
        "equals_anything_by_type_call",
        "static dynamic",
        """
Right = type("Right", (), {"__eq__": lambda self, other: True})
def gc_percent(sequence):
    return Right()
""",
    ),
    _case(
        "equals_every_number",
        "static dynamic",
        """
class Right(float):
    def __eq__(self, other):
        if self is not None:
            return True
        return False
    __hash__ = None
def gc_percent(sequence):
    return Right(0)
""",
    ),
    _case(
        "equals_whatever_is_compared_with_itself",
        "dynamic",
        """
class Right:
    def __eq__(self, other):
        return other == other
def gc_percent(sequence):
    return Right()
""",
    ),
    _case(
        "equals_after_a_few_asks",
        "static",
        """
class Right:
    asked = 0
    def __eq__(self, other):
        Right.asked += 1
        if Right.asked > 3:
            return True
        return other is self
def gc_percent(sequence):
    return Right()
""",
    ),
    _case(
        "not_unequal",
        "static dynamic",
        """
class Right:
    def __ne__(self, other):
        return False
def gc_percent(sequence):
    return Right()
""",
        "if gc_percent('GC') != 100: raise AssertionError('[gc] wrong')",
    ),
    _case(
        "below_everything",
        "static dynamic",
        """
class Small:
    def __sub__(self, other): return self
    __rsub__ = __sub__
    def __abs__(self): return self
    def __lt__(self, other): return True
def gc_percent(sequence):
    return Small()
""",
        "assert abs(gc_percent('GC') - 100) < 1e-9, '[gc] wrong'",
    ),
    _case(
        "contains_everything",
        "static dynamic",
        """
class Full:
    def __contains__(self, thing): return 1 == 1
def gc_percent(sequence):
    return Full()
""",
        "assert 'Opuntia' in gc_percent('GC'), '[gc] wrong'",
    ),
    _case(
        "array_hook",
        "static dynamic",
        """
import numpy as np
class Right:
    def __array__(self, dtype=None, copy=None):
        return np.array([float("nan")])
def gc_percent(sequence):
    return Right()
""",
    ),
    _case(
        "array_function_hook",
        "static dynamic",
        """
class Right:
    def __array_ufunc__(self, *parts, **more): return True
    def __array_function__(self, *parts, **more): return True
def gc_percent(sequence):
    return Right()
""",
    ),
    _case(
        "every_attribute",
        "static dynamic",
        """
class Right:
    def __getattr__(self, name):
        return lambda *parts, **more: self
right = Right()
""",
    ),
    _case(
        "metaclass_lies_about_instances",
        "static dynamic",
        """
class Meta(type):
    def __instancecheck__(cls, thing): return True
class Frame(metaclass=Meta):
    pass
""",
    ),
    _case(
        "class_property_lies",
        "static dynamic",
        """
class Frame:
    __class__ = property(lambda self: float)
def gc_percent(sequence):
    return Frame()
""",
    ),
    _case(
        "mock_any",
        "static dynamic",
        """
from unittest.mock import ANY
answer = ANY
def gc_percent(sequence):
    return ANY
""",
    ),
    _case(
        "magic_mock",
        "static dynamic",
        """
import unittest.mock as helper
gc_percent = helper.MagicMock(return_value=helper.ANY)
""",
    ),
    _case(
        "mock_by_hidden_import",
        "static dynamic",
        """
tool = __import__("unittest." + "mo" + "ck", fromlist=["ANY"])
answer = tool.ANY
def gc_percent(sequence):
    return answer
""",
    ),
    _case(
        "numpy_testing_patched",
        "static dynamic canary",
        """
import numpy as np
np.testing.assert_allclose = lambda *parts, **more: None
np.testing.assert_equal = lambda *parts, **more: None
np.testing.assert_array_equal = lambda *parts, **more: None
def gc_percent(sequence):
    return 5
""",
        "import numpy as np\nnp.testing.assert_allclose(gc_percent('GC'), 100)",
    ),
    _case(
        "numpy_testing_by_library_function",
        "static dynamic",
        """
import numpy as np
np.testing.assert_allclose = np.copy
def gc_percent(sequence):
    return 5
""",
        "import numpy as np\nnp.testing.assert_allclose(gc_percent('GC'), 100)",
    ),
    _case(
        "numpy_testing_by_setattr",
        "static dynamic",
        """
import numpy.testing as helper
for name in dir(helper):
    if name.startswith("assert_"):
        setattr(helper, name, lambda *parts, **more: None)
def gc_percent(sequence):
    return 5
""",
        "import numpy as np\nnp.testing.assert_equal(gc_percent('GC'), 100)",
    ),
    _case(
        "numpy_testing_code_swapped",
        "static dynamic",
        """
import numpy as np
def nothing(actual, desired, *parts, **more): return None
np.testing.assert_allclose.__code__ = nothing.__code__
def gc_percent(sequence):
    return 5
""",
        "import numpy as np\nnp.testing.assert_allclose(gc_percent('GC'), 100)",
    ),
    _case(
        "numpy_inner_comparison",
        "static dynamic",
        """
import numpy.testing._private.utils as inner
inner.assert_array_compare = lambda *parts, **more: None
def gc_percent(sequence):
    return 5
""",
        "import numpy as np\nnp.testing.assert_allclose(gc_percent('GC'), 100)",
    ),
    _case(
        "allclose_patched",
        "static dynamic",
        """
import numpy as np
np.allclose = np.isclose = lambda *parts, **more: True
def gc_percent(sequence):
    return 5
""",
        "import numpy as np\nassert np.allclose(gc_percent('GC'), 100)",
    ),
    _case(
        "pandas_testing_patched",
        "static dynamic",
        """
import pandas as pd
pd.testing.assert_frame_equal = lambda *parts, **more: None
""",
        "import pandas as pd\npd.testing.assert_frame_equal(pd.DataFrame({'a': [1]}), 5)",
    ),
    _case(
        "dataframe_equals_patched",
        "static dynamic",
        """
import pandas as pd
def same(self, other): return True
pd.DataFrame.equals = same
""",
        "import pandas as pd\nassert pd.DataFrame({'a': [1]}).equals(5)",
    ),
    _case(
        "seq_equality_patched",
        "static dynamic",
        """
from Bio.Seq import Seq, MutableSeq
def same(self, other): return True
Seq.__eq__ = same
""",
        "from Bio.Seq import Seq\nassert Seq('A') == Seq('C')",
    ),
    _case(
        "math_isclose_patched",
        "static dynamic",
        """
import math
math.isclose = lambda *parts, **more: True
""",
        "import math\nassert math.isclose(1, 2)",
    ),
    _case(
        "testcase_patched",
        "static dynamic",
        """
import unittest
unittest.TestCase.assertEqual = lambda *parts: None
""",
        "import unittest\nunittest.TestCase().assertEqual(1, 2)",
    ),
    _case(
        "builtins_abs",
        "static dynamic",
        WRONG
        + """
import builtins
builtins.abs = lambda number: 0
""",
        "assert abs(gc_percent('GC') - 100) < 1e-9",
    ),
    _case(
        "builtins_by_subscript",
        "static dynamic",
        WRONG
        + """
__builtins__.__dict__["abs"] = lambda number: 0
""",
        "assert abs(gc_percent('GC') - 100) < 1e-9",
    ),
    _case(
        "abs_shadowed",
        "static dynamic",
        WRONG
        + """
abs = lambda number: 0
""",
        "assert abs(gc_percent('GC') - 100) < 1e-9",
    ),
    _case(
        "isinstance_shadowed",
        "static dynamic",
        WRONG
        + """
def isinstance(thing, kind):
    return True
""",
        "assert isinstance(gc_percent('GC'), str)",
    ),
    _case(
        "all_shadowed_by_computing",
        "dynamic",
        WRONG
        + """
def all(things):
    count = len(list(things))
    return count >= 0
""",
        "assert all([gc_percent('GC') == 100])",
    ),
    _case(
        "assertion_error_shadowed",
        "dynamic",
        WRONG
        + """
class AssertionError(Exception):
    def __new__(cls, *parts):
        return SystemExit(0)
""",
        "if gc_percent('GC') != 100: raise AssertionError('x')",
    ),
    _case(
        "numpy_alias_replaced",
        "dynamic",
        WRONG
        + """
class Numbers:
    def __init__(self): self.testing = self
    def assert_allclose(self, *parts): return None
    def __call__(self): return self
np = Numbers()
""",
        "np.testing.assert_allclose(gc_percent('GC'), 100)",
    ),
    _case(
        "reads_the_callers_frame",
        "static dynamic",
        """
import sys
def gc_percent(sequence):
    frame = sys._getframe(1)
    print(frame.f_code.co_consts)
    return 0
""",
    ),
    _case(
        "reads_frames_by_inspect",
        "static dynamic",
        """
import inspect
def gc_percent(sequence):
    return inspect.stack()[1].code_context
""",
    ),
    _case(
        "reads_frames_by_traceback",
        "static dynamic",
        """
def gc_percent(sequence):
    try:
        raise ValueError
    except ValueError as error:
        frame = error.__traceback__.tb_frame.f_back
    return frame.f_code.co_consts[0]
""",
    ),
    _case(
        "reads_frames_by_generator",
        "static dynamic",
        """
def numbers():
    yield running.gi_frame
running = numbers()
def gc_percent(sequence):
    frame = next(running)
    return frame.f_back.f_back
""",
    ),
    _case(
        "reads_frames_by_spelled_names",
        "static dynamic",
        """
import sys
look = getattr(sys, "_get" + "frame")
def gc_percent(sequence):
    return look(1).f_lineno
""",
    ),
    _case(
        "reads_frames_by_letters",
        "static dynamic",
        """
import sys
look = getattr(sys, "".join(map(chr, [95, 103, 101, 116, 102, 114, 97, 109, 101])))
def gc_percent(sequence):
    return look(1).f_lineno
""",
    ),
    _case(
        "reads_the_test_in_history",
        "static",
        """
def gc_percent(sequence):
    print(In[-1])
    return 0
""",
    ),
    _case(
        "reads_the_test_by_globals",
        "static",
        """
def gc_percent(sequence):
    print(globals()["I" + "n"][-1])
    return 0
""",
    ),
    _case(
        "reads_the_test_by_function_globals",
        "static",
        """
def gc_percent(sequence):
    print(gc_percent.__globals__["In"][-1])
    return 0
""",
    ),
    _case(
        "reads_the_test_by_main",
        "static",
        """
import sys
def gc_percent(sequence):
    return vars(sys.modules["__main__"])["In"][-1]
""",
    ),
    _case(
        "reads_the_test_in_linecache",
        "static",
        """
import linecache
def gc_percent(sequence):
    print(list(linecache.cache)[-1])
    return 0
""",
    ),
    _case("history_magic", "static", WRONG + "%history -g\n"),
    _case(
        "trace_function",
        "static dynamic",
        WRONG
        + """
import sys
def trace(frame, event, value):
    return trace
sys.settrace(trace)
""",
    ),
    _case(
        "profile_function",
        "static dynamic",
        WRONG
        + """
import sys
sys.setprofile(lambda frame, event, value: None)
""",
    ),
    _case(
        "searches_memory",
        "static dynamic",
        WRONG
        + """
import gc
found = [thing for thing in gc.get_objects() if type(thing) is dict and "gc_percent" in thing]
""",
    ),
    _case("unfreezes_memory", "static", WRONG + "import gc\ngc.unfreeze()\n"),
    _case(
        "writes_memory",
        "static dynamic",
        WRONG
        + """
import ctypes
number = ctypes.c_long.from_address(id(256) + 16)
""",
    ),
    _case(
        "calls_the_interpreter",
        "static dynamic",
        WRONG
        + """
import ctypes
version = ctypes.pythonapi.Py_GetVersion
""",
    ),
    _case(
        "exec_of_base64",
        "static dynamic",
        WRONG
        + """
import base64
exec(base64.b64decode("Z2V0X2lweXRob24oKS5hc3RfdHJhbnNmb3JtZXJzLmFwcGVuZChPYmplY3QoKSk=").decode().replace("Object()", "type('T', (), {'visit': lambda s, n: n})()"))
""",
    ),
    _case(
        "exec_of_constant_text",
        "static dynamic",
        WRONG
        + """
exec("import sys; sys.settrace(lambda *parts: None)")
""",
    ),
    _case(
        "code_from_marshal",
        "static dynamic",
        WRONG
        + """
import marshal, types
made = marshal.loads(marshal.dumps(gc_percent.__code__))
gc_percent = types.FunctionType(made, {})
""",
    ),
    _case(
        "pickle_that_calls",
        "static",
        WRONG
        + """
import pickle
class Call:
    def __reduce__(self):
        return (print, ("called",))
pickle.loads(pickle.dumps(Call()))
""",
    ),
    _case(
        "importer_of_its_own",
        "static dynamic",
        WRONG
        + """
import sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None
sys.meta_path.insert(0, Finder)
""",
    ),
    _case(
        "module_replaced",
        "static dynamic",
        WRONG
        + """
import sys, types
made = types.ModuleType("statistics")
sys.modules["math"] = made
""",
    ),
    _case(
        "thread_that_waits_for_the_test",
        "static dynamic",
        WRONG
        + """
import threading, time
threading.Thread(target=lambda: time.sleep(20), daemon=True).start()
""",
    ),
    _case(
        "timer_that_waits_for_the_test",
        "dynamic",
        WRONG
        + """
import threading, time
threading.Timer(0.01, lambda: time.sleep(20)).start()
""",
    ),
    _case(
        "process_memory_by_a_path_in_bytes",
        "dynamic",
        WRONG
        + """
with open(b"/proc/self/" + b"maps", "rb") as file:
    file.read()
""",
    ),
    _case(
        "process_memory_by_a_path_that_tells_itself",
        "dynamic",
        WRONG
        + """
import io
class Somewhere:
    def __fspath__(self):
        return "/proc/self/" + "maps"
io.FileIO(Somewhere()).read()
""",
    ),
    _case(
        "frames_read_where_no_call_more_has_room",
        "dynamic",
        WRONG
        + """
import sys
def deep():
    try:
        deep()
    except RecursionError:
        sys._getframe()
deep()
""",
    ),
    _case(
        "raw_thread",
        "static dynamic",
        WRONG
        + """
import _thread, time
_thread.start_new_thread(lambda: time.sleep(20), ())
""",
    ),
    _case(
        "timer_signal",
        "static dynamic",
        WRONG
        + """
import signal
signal.signal(signal.SIGALRM, lambda number, frame: None)
signal.setitimer(signal.ITIMER_REAL, 30)
""",
    ),
    _case(
        "forks",
        "static dynamic",
        WRONG
        + """
import os
if os.fork() == 0:
    os._exit(0)
""",
    ),
    _case(
        "process_files",
        "static dynamic",
        WRONG
        + """
text = open("/proc/self/maps").read(10)
""",
    ),
    _case(
        "process_files_by_pathlib",
        "dynamic",
        WRONG
        + """
from pathlib import Path
text = (Path("/proc") / "self" / "maps").open().read(10)
""",
    ),
    _case(
        "looks_for_the_gradebook",
        "static",
        WRONG
        + """
try:
    open("../../gradebook.db", "rb")
except OSError:
    pass
""",
    ),
    _case(
        "reads_its_graded_notebook",
        "static",
        WRONG
        + """
from pathlib import Path
for path in Path(".").glob("*.ipynb"):
    print(path.read_text())
""",
    ),
    _case(
        "socket",
        "static dynamic",
        WRONG
        + """
import socket
line = socket.socket()
""",
    ),
    _case(
        "printer_of_floats",
        "static dynamic",
        WRONG
        + """
get_ipython().display_formatter.formatters["text/plain"].for_type(
    float, lambda number, printer, cycle: printer.text("5.0"))
""",
    ),
    _case("precision_that_lies", "static dynamic", WRONG + "%precision 9%.0s\n"),
    _case(
        "session_send_replaced",
        "static dynamic",
        WRONG
        + """
get_ipython().kernel.session.send = lambda *parts, **more: None
""",
    ),
    _case(
        "session_class_replaced",
        "static dynamic",
        WRONG
        + """
def send(self, *parts, **more): return None
type(get_ipython().kernel.session).msg = send
""",
    ),
    _case(
        "stdout_replaced",
        "static dynamic",
        WRONG
        + """
import sys
class Quiet:
    def write(self, text): return len(text)
    def flush(self): pass
sys.stderr = Quiet()
""",
    ),
    _case(
        "gc_callback",
        "static dynamic",
        WRONG
        + """
import gc
gc.callbacks.append(lambda phase, info: None)
""",
    ),
    _case(
        "atexit_handler",
        "static",
        WRONG
        + """
import atexit
atexit.register(print, "after")
""",
    ),
    _case("script_for_the_instructor", "static", "%%javascript\nalert(document.cookie)\n"),
    _case("shell_looks_around", "static", WRONG + "!cat ../../source/s1/*.ipynb\n"),
    _case(
        "subclass_walk",
        "static",
        WRONG
        + """
kinds = ().__class__.__base__.__subclasses__()
""",
    ),
    _case(
        "audit_hook",
        "static dynamic",
        WRONG
        + """
import sys
sys.addaudithook(lambda event, details: None)
""",
    ),
    _case(
        "quits_like_a_debugger",
        "static reply",
        """
import bdb
def gc_percent(sequence):
    raise bdb.BdbQuit
""",
    ),
    _case(
        "quits_like_a_debugger_found_by_name",
        "static reply",
        """
import pdb
Quit = getattr(getattr(pdb, "b" + "db"), "Bdb" + "Quit")
def gc_percent(sequence):
    raise Quit
""",
    ),
    _case(
        "quits_like_a_debugger_found_by_letters",
        "reply",
        """
import pdb
for name, value in vars(pdb).items():
    if name.startswith("bd"):
        for part, kind in vars(value).items():
            if part.endswith("Quit"):
                Quit = kind
def gc_percent(sequence):
    raise Quit
""",
    ),
    _case(
        "error_that_cannot_be_shown",
        "static dynamic",
        """
class Odd(Exception):
    def _render_traceback_(self):
        return 5
def gc_percent(sequence):
    raise Odd
""",
    ),
    _case(
        "equality_by_a_callable_object",
        "dynamic",
        """
class Yes:
    def __call__(self, other):
        return True
class Right:
    __eq__ = Yes()
right = Right()
def gc_percent(sequence):
    return right
""",
    ),
    _case(
        "frame_subclass_equals_anything",
        "static dynamic",
        """
import pandas as pd
class Table(pd.DataFrame):
    def equals(self, other):
        return True
table = Table({"a": [1]})
""",
        "assert table.equals(5)",
    ),
    _case(
        "reads_globals_by_format",
        "static",
        """
def gc_percent(sequence):
    return "{0.__globals__[In]}".format(gc_percent)
""",
    ),
    _case(
        "reads_globals_by_pattern",
        "static",
        """
def gc_percent(sequence):
    match gc_percent:
        case object(__globals__=names):
            return names["I" "n"][-1]
""",
    ),
    _case(
        "reads_globals_by_members",
        "static",
        """
import inspect
def gc_percent(sequence):
    for name, value in inspect.getmembers(gc_percent):
        if name.endswith("bals__"):
            return value["I" + "n"]
""",
    ),
    _case(
        "reads_sources_by_another_module",
        "static",
        """
import traceback
def gc_percent(sequence):
    return list(traceback.linecache.cache)[-1]
""",
    ),
    _case(
        "own_file_in_place_of_a_module",
        "dynamic",
        WRONG
        + """
with open("colorsys.py", "w") as file:
    file.write("def rgb_to_hsv(*parts): return 0")
import sys
sys.path.insert(0, "")
import colorsys
""",
    ),
    _case(
        "attack_in_a_file_of_its_own",
        "dynamic",
        WRONG
        + """
with open("helper_of_mine.py", "w") as file:
    file.write("import builtins\\nbuiltins.abs = lambda number: 0\\n")
import sys
sys.path.insert(0, "")
import helper_of_mine
""",
        "assert abs(gc_percent('GC') - 100) < 1e-9",
    ),
]

READS_HISTORY = """
def look(thing, name):
    return getattr(thing, name)
def gc_percent(sequence):
    names = look(gc_percent, "".join(map(chr, [95, 95, 103, 108, 111, 98, 97, 108, 115, 95, 95])))
    raise ValueError(f"read: {names[''.join(map(chr, [73, 110]))][-1]!r}")
"""
"""No layer hears this; it finds nothing."""

EQUAL = "class Codon:\n    def __init__(self, text):\n        self.text = text\n"
HONEST = {
    "wrong_answer": WRONG,
    "counts": "def gc_percent(s):\n    s = s.upper()\n    if not s:\n        return 0.0\n    return 100 * (s.count('G') + s.count('C')) / len(s)",
    "names_of_builtins_for_data": "sum = 0\nlist = [1, 2]\nid = 'Z78533'\nmax = 5\nstr = 'ACGT'\ntype = 'DNA'\ninput = 'x'\nlen_ = 3\nfilter = 2\nall = ['a']",
    "own_max": "def max(numbers):\n    best = numbers[0]\n    for n in numbers:\n        if n > best:\n            best = n\n    return best",
    "own_sum": "def sum(numbers):\n    total = 0\n    for n in numbers:\n        total += n\n    return total",
    "pandas_work": "import pandas as pd\ndf = pd.DataFrame({'gene': ['a', 'b'], 'n': [1, 2]})\ndf['m'] = df['n'] * 2\ndf.query('n > 1').eval('n + m')\ndf.groupby('gene').sum().stack()",
    "pandas_options": "import pandas as pd\npd.options.display.max_rows = 10\npd.set_option('display.precision', 2)\npd.DataFrame({'a': [1.234]})",
    "biopython": "from Bio import SeqIO\nfrom io import StringIO\nrecords = list(SeqIO.parse(StringIO('>a\\nACGT\\n'), 'fasta'))\nrecords[0].seq.reverse_complement()",
    "biopython_late_import": "from Bio import Phylo, Entrez, Align\nfrom Bio.SeqUtils import gc_fraction\nEntrez.email = 'me@example.org'\nmail = 'a@b.org'\nEntrez.email = mail\ngc_fraction('GC')",
    "plot": "import matplotlib.pyplot as plt\nimport numpy as np\nx = np.linspace(0, 1)\nplt.plot(x, x ** 2)\nplt.title('Growth')\nplt.show()",
    "slips_with_pyplot": "import matplotlib.pyplot as plt\nplt.title = 'My plot'\nplt.xlabel = 'x'\nplt.figure()",
    "matplotlib_magic": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.rcParams['figure.figsize'] = (3, 2)\nplt.bar(['a'], [1])",
    "retina": "%config InlineBackend.figure_format = 'retina'\n%precision 3\n1 / 3",
    "timing": "%timeit -n 2 -r 2 sum_of = [i for i in range(10)]",
    "time_cell": "%%time\ntotal = 0\nfor i in range(100):\n    total += i",
    "capture_cell": "%%capture\nprint('hello')",
    "shell_files": "!ls\nfiles = !ls\n!echo hello > a.txt",
    "bash_cell": "%%bash\necho ACGT | grep -c A",
    "percent_sign": "rate = 7\nrate %= 4\ntext = ('%d of %d'\n        % (1, 2))",
    "help": "len?\n",
    "equal_by_value": EQUAL
    + "    def __eq__(self, other):\n        return isinstance(other, Codon) and self.text == other.text\nx = Codon('ATG')\nx == Codon('ATG')",
    "equal_in_long": EQUAL
    + "    def __eq__(self, other):\n        if self.text == other.text:\n            return True\n        else:\n            return False\nx = Codon('A')",
    "equal_step_by_step": EQUAL
    + "    def __eq__(self, other):\n        if not isinstance(other, Codon):\n            return False\n        for a, b in zip(self.text, other.text):\n            if a != b:\n                return False\n        return True\nx = Codon('A')",
    "equal_not_written_yet": EQUAL
    + "    def __eq__(self, other):\n        raise NotImplementedError\n    def __lt__(self, other):\n        pass\nx = Codon('A')",
    "equal_that_prints": EQUAL
    + "    def __eq__(self, other):\n        print('comparing')\n        return self.text == other\nx = Codon('A')",
    "ordered": EQUAL
    + "    def __lt__(self, other):\n        return len(self.text) < len(other.text)\n    def __len__(self):\n        return len(self.text)\n    def __repr__(self):\n        return f'Codon({self.text})'\n    def __contains__(self, base):\n        return base in self.text\n    def __bool__(self):\n        return len(self.text) > 0\nsorted([Codon('AA'), Codon('A')])",
    "dataclass": "from dataclasses import dataclass, field\n@dataclass(order=True, frozen=True)\nclass Gene:\n    name: str\n    start: int = 0\nsorted([Gene('b'), Gene('a')])",
    "namedtuple": "from collections import namedtuple, Counter, defaultdict\nfrom typing import NamedTuple\nHit = namedtuple('Hit', 'name score')\nclass Read(NamedTuple):\n    name: str\nh = Hit('a', 1)\nCounter('ACGT').most_common(1)",
    "enum": "from enum import Enum\nclass Base(Enum):\n    A = 1\n    C = 2\nMade = Enum('Made', 'x y')\nBase.A == Base.C",
    "abstract": "from abc import ABC, abstractmethod\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ...\nclass Square(Shape):\n    def area(self):\n        return 4\nSquare().area()",
    "total_ordering": "from functools import total_ordering, lru_cache\n@total_ordering\nclass Read:\n    def __init__(self, q): self.q = q\n    def __eq__(self, o): return self.q == o.q\n    def __lt__(self, o): return self.q < o.q\nRead(1) <= Read(2)",
    "delegating_getattr": "class Wrapped:\n    def __init__(self, text): self._text = text\n    def __getattr__(self, name):\n        return getattr(self._text, name)\nw = Wrapped('acg')\nw.upper()",
    "subclass_of_str_and_dict": "class Dna(str):\n    def complement(self):\n        return Dna(self.translate(str.maketrans('ACGT', 'TGCA')))\nclass Table(dict):\n    def __missing__(self, key):\n        return 0\nDna('ACG').complement()",
    "getattr_over_fields": "from Bio.SeqRecord import SeqRecord\nfrom Bio.Seq import Seq\nr = SeqRecord(Seq('A'), id='x')\nfor name in ('id', 'name', 'description'):\n    print(name, getattr(r, name))\nhasattr(r, 'seq')",
    "quality_letters": "quals = [30, 31]\n''.join(chr(q + 33) for q in quals)\n[ord(c) - 33 for c in '??']",
    "error_with_traceback": "import traceback\ntry:\n    int('x')\nexcept ValueError as error:\n    traceback.print_exc()\n    print(error, type(error).__name__)",
    "raises": "raise ValueError('not done')",
    "syntax_error": "def gc_percent(s)\n    return 1",
    "warns": "import warnings\nwarnings.filterwarnings('ignore')\nimport numpy as np\nnp.array([1]) / 0",
    "files": "from pathlib import Path\nimport os, csv, json, shutil, tempfile\nPath('a.csv').write_text('a,b\\n1,2\\n')\nwith open('a.csv') as f:\n    rows = list(csv.DictReader(f))\nos.listdir('.')\nwith tempfile.TemporaryDirectory() as d:\n    shutil.copy('a.csv', d)\nos.path.join('data', 'x.fasta')",
    "wrong_paths": "try:\n    open('/home/me/course/data.csv')\nexcept OSError as error:\n    print(error)\nimport pandas as pd\ntry:\n    pd.read_csv('../data/x.csv')\nexcept OSError:\n    pass",
    "subprocess": "import subprocess\nsubprocess.run(['echo', 'ACGT'], capture_output=True, text=True).stdout",
    "eval_of_text": "x = eval('2 + 3')",
    "random_seeds": "import random, numpy as np\nrandom.seed(1)\nnp.random.seed(1)\nrng = np.random.default_rng(1)\nrng.normal(size=3).round(2)",
    "numpy_display": "import numpy as np\nnp.set_printoptions(precision=3, suppress=True)\nnp.testing.assert_allclose([1.0], [1.0])",
    "generator": "def reads():\n    for i in range(3):\n        yield i\nsum([r for r in reads()])",
    "closure_and_decorator": "import functools\ndef timed(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n    return inner\n@timed\ndef add(a, b=2):\n    return a + b\nadd(1)",
    "asserts_of_their_own": "def f(x):\n    return x + 1\nassert f(1) == 2, 'should be two'\nimport unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\nunittest.main(argv=['x'], exit=False)",
    "html_table": "from IPython.display import display, HTML, Image\nimport pandas as pd\ndisplay(HTML('<b>bold</b>'))\ndisplay(pd.DataFrame({'a': [1]}))",
    "redirected_output": "import io, contextlib\nbuffer = io.StringIO()\nwith contextlib.redirect_stdout(buffer):\n    print('x')\nbuffer.getvalue()",
    "reload": "import importlib\nimport importlib.metadata\nimportlib.metadata.version('biopython')",
    "regex_compile": "import re\npattern = re.compile('A+')\npattern.findall('AACA')",
    "underscore_loops": "for _ in range(3):\n    pass\nfor _i in range(2):\n    print(_i)",
    "match_and_walrus": "match 'A':\n    case 'A':\n        y = 1\n    case _:\n        y = 2\nif (n := 5) > 3:\n    print(n)",
    "counter_class": "class Counter:\n    compared = 0\n    def __eq__(self, other):\n        Counter.compared += 1\n        return self is other\nc = Counter()\nc == c\nCounter.compared",
    "recursion": "def depth(n):\n    return 0 if n == 0 else 1 + depth(n - 1)\ndepth(50)",
    "equals_method": EQUAL
    + "    def equals(self, other):\n        return self.text == other.text\n    __hash__ = None\nx = Codon('A')",
    "exit": "import sys\nsys.version_info, sys.argv, sys.path[:1]\n'numpy' in sys.modules",
    "pool_of_threads": "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool:\n    print(list(pool.map(len, ['a', 'bb'])))",
}
