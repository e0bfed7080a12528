"""Let every test import the set-up's modules, and use the running product."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE / "lib", HERE.parent / "images"):
    sys.path.insert(0, str(folder))

from bioskills_product import fresh_product, product  # noqa: E402 - the path above comes first

__all__ = ["fresh_product", "product"]
