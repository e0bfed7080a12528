"""Import once what every hand needs; hands are forked from the process that did.

Law: imported for its effect alone, and first of all.
"""

from bioskills.graders.engine import spare_imports

spare_imports()

import nbgrader.converters  # noqa: E402, F401 - after the line above; 1,300 modules

import bioskills.graders.hand  # noqa: E402, F401
