"""Make the environments of this clone, then start a program in one of them.

Law: this file is read by any Python 3, so that an old one gets a sentence;
everything else needs Python 3.11 and its standard library.

    python3 images/build.py                      make what is missing
    python3 images/build.py -- bioskills run     ... then become this program of the hub environment
    python3 images/build.py --dev -- pytest      ... of the dev environment
"""

import sys

NEEDS = (
    "BioSkills Hub needs Python 3.11 or newer; this is %d.%d. Install one: apt install python3\n"
)

if sys.version_info < (3, 11):  # noqa: UP036 - the very reason of this file
    sys.stderr.write(NEEDS % sys.version_info[:2])
    raise SystemExit(2)

from setup.command_line import main  # noqa: E402 - only readable from 3.11 on

raise SystemExit(main(sys.argv[1:]))
