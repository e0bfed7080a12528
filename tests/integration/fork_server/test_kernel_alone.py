"""A forked kernel holds nothing of another learner, of the parent or of chance they share."""

import re
from collections import Counter

import pytest
from bioskills_kernels import House, Learner
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

MARK = "of-learner"

SEARCH = """
import re
def found(word):
    n = 0
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
        for line in maps:
            area, rights = line.split()[:2]
            if not rights.startswith('rw') or '[v' in line: continue
            first, last = (int(x, 16) for x in area.split('-'))
            memory.seek(first)
            try: n += memory.read(last - first).count(word)
            except OSError: pass
    return n
print(found(bytes(reversed(bytes.fromhex('%s')))))
"""

DESCRIPTORS = """
import os, re
print([re.sub('[0-9]+', '', os.readlink(f'/proc/self/fd/{n}')) for n in sorted(os.listdir('/proc/self/fd'), key=int)
       if os.path.lexists(f'/proc/self/fd/{n}')])
"""

# Its input is nothing instead of a closed pipe, and it watches its lab by a descriptor.
MORE = Counter({"/dev/null": 1, "anon_inode:[pidfd]": 1})
LESS = Counter({"pipe:[]": 1, "anon_inode:[eventfd]": 2})

# IPython's history thread commits while the cell runs, or does not: its journal is open for that moment.
PASSING = re.compile(r"/history\.sqlite-(journal|wal|shm)$")


@pytest.fixture(scope="module")
def two(kernels: House) -> tuple[Learner, Learner]:
    """Two learners, the second one's kernel forked after the first one's began to work."""
    first, second = kernels.learner(11), kernels.learner(12)
    secret = {"SECRET_IN_ENV": f"env-{MARK}-11"}
    assert first.do("start", name="k", env=secret)["forked"]
    first.text("k", f"answer = 'answer-{MARK}-11'")
    for learner, name in ((first, "again"), (second, "k")):
        assert learner.do("start", name=name)["forked"]
    yield first, second
    kernels.leave(first)
    kernels.leave(second)


def search(word: str) -> str:
    """Return a cell that counts a word in the kernel's memory without containing it."""
    return SEARCH % word.encode()[::-1].hex()


@pytest.mark.parametrize("word", [f"env-{MARK}-11", f"answer-{MARK}-11", "secret-of-791011"])
def test_nothing_of_another_learner_is_in_memory(two: tuple[Learner, Learner], word: str) -> None:
    first, second = two
    # The word that is looked for is in memory once.
    itself = int(second.text("k", search("nobody-ever-said-this")))

    assert int(first.text("k", search(word))) > itself, "the search finds what is there"
    assert int(second.text("k", search(word))) == itself


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np; print(np.random.rand(4))",
        "import numpy as np; print(np.random.default_rng().random(4))",
        "import random; print(random.random())",
        "import multiprocessing as m; print(m.current_process().authkey.hex(), bytes(m.current_process().authkey))",
        "import uuid; print(uuid.uuid4(), uuid.uuid1())",
        "import tempfile; print(next(tempfile._get_candidate_names()))",
        "import secrets, ssl; print(secrets.token_hex(), ssl.RAND_bytes(8))",
        "print(get_ipython().kernel.session.session)",
    ],
)
def test_what_is_random_differs_between_learners_and_kernels(
    two: tuple[Learner, Learner], code: str
) -> None:
    first, second = two
    said = [first.text("k", code), first.text("again", code), second.text("k", code)]

    assert len(set(said)) == 3, said


def test_a_fresh_kernel_has_the_descriptors_of_a_cold_one(two: tuple[Learner, Learner]) -> None:
    learner = two[1]
    for mode in ("cold", "forked"):
        learner.do("start", name=f"fresh-{mode}", mode=mode)

    def differences() -> tuple[Counter[str], Counter[str]]:
        cold, forked = (descriptors(learner, f"fresh-{mode}") for mode in ("cold", "forked"))
        return forked - cold, cold - forked

    def as_they_may() -> bool:
        more, less = differences()
        return more <= MORE and less <= LESS

    # A kernel takes the connections of its client one by one: look until both have taken all.
    assert eventually(as_they_may, 30), differences()


def descriptors(learner: Learner, kernel: str) -> Counter[str]:
    names = re.findall(r"'([^']*)'", learner.text(kernel, DESCRIPTORS))
    return Counter(name for name in names if not PASSING.search(name))


def test_a_kernel_reaches_no_object_of_the_loop(two: tuple[Learner, Learner]) -> None:
    code = """
import gc, sys
kinds = {type(o).__name__ for o in gc.get_objects()}
frame, names = sys._getframe(), set()
while frame:
    names |= {type(v).__name__ for v in frame.f_locals.values()}
    frame = frame.f_back
print(sorted((kinds | names) & {'Caller', 'Loop', 'Kernels', 'Door', 'Request'}), [n for n in sys.modules if n.startswith('bioskills')])
"""
    assert two[1].text("k", code) == "[] []\n"


def test_a_kernel_can_become_nobody_else(two: tuple[Learner, Learner]) -> None:
    code = """
import os
for name, args in {'setuid': (0,), 'setgid': (0,), 'setgroups': ([0],), 'chroot': ('/',)}.items():
    try: getattr(os, name)(*args); print('did', name)
    except OSError as e: print(e.strerror)
print(os.getresuid())
"""
    said = two[1].text("k", code).splitlines()

    assert set(said[:-1]) == {"Operation not permitted"}
    assert said[-1] == str((two[1].uid,) * 3)
