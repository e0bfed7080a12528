"""A forked kernel behaves as a cold one: the same cells in both, the same outputs."""

import json
import re
from typing import Any

import pytest
from bioskills_kernels import Learner

pytestmark = pytest.mark.integration

CHANGES = re.compile(
    r"ipykernel_\d+|[0-9a-f]{8}-[0-9a-f]{24}_\d+_\d+|pid=\d+|0x[0-9a-f]{6,}|[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|kernel-(?:cold|forked)"
)
"""What a kernel makes up anew: numbers of processes, addresses, names of widgets and of itself."""

CELLS = {
    "a value": "6 * 7",
    "text and errors": "import sys; print('out'); print('err', file=sys.stderr)",
    "a traceback": "def f(x):\n    return 1 / x\nf(0)",
    "a syntax error": "def f(:",
    "an unknown name": "nothing_like_this",
    "the module is __main__": "__name__, __doc__, sorted(k for k in globals() if k[0] != '_')",
    "its dunder names": "import __main__; {k: repr(v) for k, v in vars(__main__).items() if k[:2] == '__' and 'main' not in k}",
    "words and path": "import sys; sys.argv, sys.path, sys.executable, sys.orig_argv",
    "folder": "import os; os.getcwd()",
    "environment": "import os; sorted((k, v) for k, v in os.environ.items() if k != 'BIOSKILLS_KERNELS_SOCKET')",
    "a module beside the notebook": "open('beside.py', 'w').write('x = 5'); import beside; beside.x",
    "user and home": "import getpass, pathlib; getpass.getuser(), pathlib.Path.home()",
    "umask and limits": "import os, resource as r; u = os.umask(0); os.umask(u); u, [r.getrlimit(getattr(r, n)) for n in sorted(dir(r)) if n[:6] == 'RLIMIT']",
    "rights": "[l for l in open('/proc/self/status') if l[:3] in ('Uid', 'Gid', 'Cap', 'NoN', 'Gro', 'Sig') and l[:4] != 'SigQ']",
    "signals": "import signal; [(s, signal.getsignal(s)) for s in sorted(signal.valid_signals())]",
    "its own session": "import os; os.getpid() == os.getpgrp() == os.getsid(0)",
    "garbage is collected": "import gc; gc.isenabled(), gc.get_threshold()",
    "threads": "import threading; sorted(t.name for t in threading.enumerate()), len(__import__('os').listdir('/proc/self/task')) > 8",
    "a thread of one's own": "import threading; t = threading.Thread(target=print, args=('from a thread',)); t.start(); t.join(); t.daemon, t.is_alive()",
    "streams": "import sys; sys.stdin, sys.__stdout__, sys.__stderr__, sys.stdin.read()",
    "hooks": "import sys, threading; [type(h) for h in (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook)]",
    "filters of warnings": "import warnings; [f for f in warnings.filters if f[2] is DeprecationWarning or f[3] == 0 and f[0] == 'error']",
    "a warning once per place": "import warnings\nfor i in range(3): warnings.warn('look', UserWarning)",
    "a warning again in the next cell": "import warnings\nfor i in range(2): warnings.warn('look', UserWarning)",
    "a deprecation": "import warnings\nwarnings.warn('old', DeprecationWarning)",
    "a warning of pandas": "import pandas as pd; pd.Series([1]).apply(lambda x: x); pd.to_datetime(['1.2.2020', '13.2.2020'], dayfirst=False, errors='coerce')",
    "locale and time zone": "import locale, time; locale.setlocale(locale.LC_ALL), time.tzname, locale.getpreferredencoding()",
    "time zone from the environment": "import os, time; os.environ['TZ'] = 'Asia/Tokyo'; time.tzset(); time.tzname",
    "a temporary file": "import tempfile; tempfile.gettempdir()",
    "a subprocess": "import subprocess; subprocess.run(['sh', '-c', 'echo hi; exit 3'], capture_output=True)",
    "a program's own output": "import os, time; r = os.system('echo from the shell; echo and wrong >&2'); time.sleep(1.5); r",
    "descriptors of a subprocess": "import subprocess; subprocess.run('ls /proc/self/fd', shell=True, capture_output=True, text=True).stdout",
    "shell escape": "!echo one; echo two",
    "bash cell": "%%bash\necho $HOME | wc -l\nfor i in 1 2; do echo $i; done",
    "bash cell that fails": "%%bash\nexit 4",
    "timeit": "t = %timeit -o -q -n1 -r1 pass\nt.loops, t.repeat",
    "magics": "%pwd",
    "a file is written and run": "open('t.py', 'w').write('print(__name__, __file__)')\n%run t.py",
    "top-level await": "import asyncio\nawait asyncio.sleep(0.01)\nprint('waited')",
    "gather": "import asyncio\nawait asyncio.gather(*(asyncio.sleep(0, n) for n in range(3)))",
    "multiprocessing by fork": "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: r = p.map(abs, [-1, -2])\nr",
    "multiprocessing by spawn": "import multiprocessing as m\nwith m.get_context('spawn').Pool(1) as p: r = p.map(abs, [-1, -2])\nr",
    "a pool of processes": "from concurrent.futures import ProcessPoolExecutor as P\nwith P(2) as p: r = list(p.map(abs, [-3]))\nr",
    "a pool of threads": "from concurrent.futures import ThreadPoolExecutor as P\nwith P(2) as p: r = list(p.map(abs, [-3]))\nr",
    "big output": "for i in range(20000): print(i, 'x' * 40)",
    "a big value": "'y' * 2_000_000",
    "sys.exit": "import sys; sys.exit(3)",
    "recursion": "def f(): return f()\ntry: f()\nexcept RecursionError as e: print(e)",
    "a frame of pandas": "import pandas as pd; pd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "numbers with a seed": "import numpy as np, random; np.random.seed(5); random.seed(5); np.random.rand(3), random.random()",
    "linear algebra": "import numpy as np; r = np.random.default_rng(1).random((300, 300)); (r @ r).sum(), np.linalg.det(r)",
    "a sequence": "from Bio.Seq import Seq; Seq('ATGGCC').translate()",
    "a plot": "import matplotlib.pyplot as plt; plt.plot([1, 3, 2]); plt.title('t')",
    "a plot that is shown": "import matplotlib.pyplot as plt; plt.bar([1, 2], [3, 4]); plt.show()",
    "a figure as a value": "import matplotlib.pyplot as plt; f, a = plt.subplots(figsize=(2, 1)); a.plot([1]); f",
    "backend": "import matplotlib as m, matplotlib.pyplot as plt; m.get_backend(), plt.isinteractive(), m.rcParams == m.rcParamsOrig, m.get_configdir(), m.get_cachedir(), m.matplotlib_fname()",
    "settings of plots": "import matplotlib as m; sorted((k, str(v)) for k, v in m.rcParams.items())",
    "rich display": "from IPython.display import HTML, Markdown, display; display(HTML('<b>x</b>'), Markdown('*y*')); HTML('z')",
    "an updated display": "from IPython.display import display; h = display('a', display_id='i'); h.update('b')",
    "clear output": "from IPython.display import clear_output; print('a'); clear_output(); print('b')",
    "a widget": "import ipywidgets as w; s = w.IntSlider(3); s",
    "a widget's value": "s.value = 5; s.value",
    "interact": "import ipywidgets as w; w.interact(lambda x: print('x', x), x=(0, 4))",
    "an output widget": "import ipywidgets as w; o = w.Output()\nwith o: print('inside')\no",
    "history": "In[-1], Out.__class__, _oh is Out",
    "help": "len?",
    "completion": "get_ipython().Completer.complete('get_ipy')[1]",
    "faulthandler": "import faulthandler; faulthandler.is_enabled()",
    "logging": "import logging; logging.warning('said'); logging.root.handlers",
    "a debugger cannot wait": "import pdb; pdb.Pdb, pdb.set_trace",
    "reload": "import importlib, json; importlib.reload(json) is json",
    "pickles of __main__": "import pickle\nclass C: pass\npickle.loads(pickle.dumps(C())).__class__ is C",
    "command line in ps": "open('/proc/self/cmdline').read().replace('\\0', ' ').strip(), open('/proc/self/comm').read()",
    "the frames below end in the launcher": "import sys\nf = sys._getframe()\nwhile 'launcher' not in f.f_code.co_filename: f = f.f_back\nf.f_code.co_name, f.f_globals['__name__'], sorted(f.f_globals)",
}


def plain(outputs: list[Any]) -> list[Any]:
    """Return outputs without what no two kernels have in common; pieces of one stream joined."""
    joined: list[Any] = []
    for kind, content in outputs:
        if kind == "stream" and joined and joined[-1][:2] == [kind, content["name"]]:
            joined[-1][2] += content["text"]
        elif kind == "stream":
            joined.append([kind, content["name"], content["text"]])
        else:
            joined.append([kind, content])
    # Two streams are two pipes: which comes first is chance.
    streams = sorted(x for x in joined if x[0] == "stream")
    text = json.dumps([x for x in joined if x[0] != "stream"] + streams, sort_keys=True)
    return json.loads(CHANGES.sub("#", text))


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_gives_the_same_in_both(learner: Learner, name: str) -> None:
    cold, forked = (learner.do("run", name=mode, code=CELLS[name]) for mode in ("cold", "forked"))

    assert plain(forked["outputs"]) == plain(cold["outputs"])
    assert forked["status"] == cold["status"]
