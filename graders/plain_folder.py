"""Let plain nbgrader grade a course folder with our walls.

Law: nbgrader's own command, converters and preprocessors; only what runs the cells is
ours. A configuration file that somebody wrote is never changed: the lines to add are said.
"""

import argparse
from pathlib import Path
from typing import Any

from bioskills.base.commands import Verbs
from bioskills.base.problems import SetupError
from bioskills.base.text import _

EXECUTE = "bioskills.graders.executing.BoxExecute"
"""Runs the cells of a submission in a box; imported by nbgrader when it grades."""
ASK = "bioskills.graders.waiting_cells.AskAPerson"
"""Lists tests that were not run for a person; after nbgrader's own steps."""
CONFIG = "nbgrader_config.py"
LINES = """\
from bioskills.graders.plain_folder import configure

c = get_config()
configure(c)
"""


def configure(c: Any) -> None:
    """Make `nbgrader autograde` run submissions in boxes.

    Args:
        c: nbgrader's configuration object.
    """
    from nbgrader.converters import Autograde  # noqa: PLC0415 - nbgrader itself calls this
    from nbgrader.preprocessors import Execute  # noqa: PLC0415

    stock = Autograde.autograde_preprocessors.default_args[0]
    ours = [EXECUTE if preprocessor is Execute else preprocessor for preprocessor in stock]
    c.Autograde.autograde_preprocessors = [*ours, ASK]


def ensure_config(folder: Path) -> Path:
    """Write the configuration of a course folder; one that holds our lines stays as it is.

    Raises:
        SetupError: There is no such folder, or its configuration is somebody's own.
    """
    if not (folder / "source").is_dir():
        text = _("{path} is no nbgrader course folder: it has no folder named source.")
        raise SetupError(text.format(path=folder))
    config = folder / CONFIG
    if not config.exists():
        config.write_text(LINES, encoding="utf-8")
    elif "plain_folder" not in config.read_text(encoding="utf-8"):
        text = _(
            "{path} is there already and was not changed. Add these lines at its end:\n\n{lines}"
        )
        raise SetupError(text.format(path=config, lines=LINES))
    return config


def add_config_verb(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills course nbgrader-config PATH`."""
    text = _("Make plain nbgrader grade a course folder in boxes. For instructors.")
    parser = verbs.add_parser("nbgrader-config", help=text, description=text)
    parser.add_argument("path", type=Path, help=_("The course folder, which holds source."))
    parser.set_defaults(act=_act)


def _act(options: argparse.Namespace) -> int:
    config = ensure_config(options.path)
    text = _("{path} is ready. In that folder, run: nbgrader autograde ASSIGNMENT")
    print(text.format(path=config))  # noqa: T201 - the command's own output
    return 0
