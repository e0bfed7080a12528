"""Let every test import the set-up's modules, and use the running product."""

import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE / "lib", HERE.parent / "images"):
    sys.path.insert(0, str(folder))

from bioskills_product import (  # noqa: E402 - the path above comes first
    fresh_product,
    mortal_product,
    product,
)

__all__ = ["fresh_product", "mortal_product", "product"]

# Commands speak as their terminal asks; to tests they speak English.
os.environ["LC_ALL"] = "C.UTF-8"

# A shell's background job ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
