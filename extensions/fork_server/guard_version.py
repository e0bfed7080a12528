"""Tell whether a dictionary was changed, without touching what it holds.

Law: reads memory only where this interpreter was seen to keep a version there:
CPython counts the changes of each dictionary up to 3.13 or so. Where it does
not, the answer is *unknown* and everything is compared.
"""

import ctypes
import gc
from collections.abc import Callable, Mapping
from typing import Any

from bioskills.fork_server.guard_origin import bind

OFFSET = 24
"""Behind reference count, type and number of entries: <cpython/Include/cpython/dictobject.h>."""


def _reader() -> Callable[[int], int] | None:
    """Return what reads the version at an address, if a dictionary of ours behaves so."""
    tried: dict[str, int] = {"a": 1}
    word = ctypes.c_uint64.from_address(id(tried) + OFFSET)
    seen = [word.value]
    for name in ("b", "a", "b", "c"):
        tried[name] = len(seen)
        seen.append(word.value)
    still = word.value
    reads = tried["a"] + len(tried)
    works = len(set(seen)) == len(seen) and word.value == still and reads > 0
    return _read if works else None


_words: dict[int, ctypes.c_uint64] = {}


def _read(address: int) -> int:
    word = _words.get(address)
    if word is None:
        word = _words[address] = ctypes.c_uint64.from_address(address + OFFSET)
    return word.value


_reads = _reader()
_addresses: dict[int, int] = {}


def dict_version(names: Mapping[str, Any]) -> int | None:
    """Return the version of a dictionary, or of the one behind a class; None where unknown.

    Args:
        names: Must live for ever: its address is remembered.
    """
    if _reads is None:
        return None
    key = id(names)
    if key not in _addresses:
        inner = names if type(names) is dict else gc.get_referents(names)[0]
        _addresses[key] = id(inner)
    return _reads(_addresses[key])


bind(globals())
