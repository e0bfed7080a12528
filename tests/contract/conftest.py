"""Let contract tests import their shared module and the set-up's modules."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "images"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
