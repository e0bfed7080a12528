"""Repair what was handed in before it is graded.

Law: see `repairing`. Importing this imports no nbgrader.
"""

from bioskills.graders.repair.model import Expected, Mended, Repaired, SourceCell
from bioskills.graders.repair.repairing import repair

__all__ = ["Expected", "Mended", "Repaired", "SourceCell", "repair"]
