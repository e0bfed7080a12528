"""Decide what a lab shows, by role.

Law: the lab server imports no nbgrader; its panels are hidden by role; the
extension manager is read-only; no pop-up asks a newcomer for anything.
"""

import json
from collections.abc import Set as AbstractSet
from itertools import product
from pathlib import Path

from bioskills.base.languages import lab_locale
from bioskills.base.text import SOURCE_LANGUAGE, known_languages

NBGRADER_PANELS = (
    "assignment-list",
    "course-list",
    "create-assignment",
    "formgrader",
    "menu",
    "validate-assignment",
)

AUTHOR_PANELS = {"create-assignment"}
"""Instructors keep the panel that marks cells as tests and answers; it needs no server part."""

NEWS = "@jupyterlab/apputils-extension:announcements"

LANGUAGE = "@jupyterlab/translation-extension:plugin"

NO_BUILD = {"buildCheck": False, "buildAvailable": False}
"""Nobody builds JupyterLab here: the check would start Node for a second whenever a lab opens."""

NBGRADER_CONFIG = """\
from bioskills.graders.exchange import configure

configure(get_config())
"""
"""Lets stock nbgrader commands in a terminal speak to the campus; read by nbgrader alone."""

SERVER_EXTENSIONS_OFF = (
    "jupyter_lsp",
    "notebook",
    "notebook_shim",
    "nbgrader.server_extensions.assignment_list",
    "nbgrader.server_extensions.course_list",
    "nbgrader.server_extensions.formgrader",
    "nbgrader.server_extensions.validate_assignment",
)


def disabled_extensions(roles: set[str]) -> list[str]:
    """Return the Lab plugins that people with these roles do not see."""
    kept = AUTHOR_PANELS if "instructor" in roles else set()
    return [NEWS, *(f"@jupyter/nbgrader:{name}" for name in NBGRADER_PANELS if name not in kept)]


def lab_config_dir(root: Path, roles: AbstractSet[str], language: str = SOURCE_LANGUAGE) -> Path:
    """Return the folder of Lab settings for roles and language (made by `write_lab_config`)."""
    kind = "author" if "instructor" in roles else "learner"
    return root / (kind if language == SOURCE_LANGUAGE else f"{kind}-{language}")


def write_lab_config(root: Path) -> None:
    """Write the Lab settings of every kind of role; readable by all, writable by the owner alone."""
    for roles, language in product(({"learner"}, {"instructor"}), known_languages()):
        folder = lab_config_dir(root, roles, language) / "labconfig"
        folder.mkdir(parents=True, exist_ok=True)
        disabled = dict.fromkeys(disabled_extensions(roles), True)
        files = {
            folder / "page_config.json": json.dumps({**NO_BUILD, "disabledExtensions": disabled}),
            # What the learner chooses in Lab's own menu wins over this.
            folder / "default_setting_overrides.json": json.dumps(
                {LANGUAGE: {"locale": lab_locale(language)}}
            ),
            folder.parent / "nbgrader_config.py": NBGRADER_CONFIG,
        }
        for path in (root, folder.parent, folder):
            path.chmod(0o755)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)


def lab_arguments() -> list[str]:
    """Return the command line of the lab server; it wins over files in a home."""
    off = dict.fromkeys(SERVER_EXTENSIONS_OFF, False)
    return [
        "--KernelManager.transport=ipc",
        # Nobody opens a browser here; the file that would do it is not written.
        "--ServerApp.no_browser_open_file=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=",
        # Deleting must make room in a full home; the trash would need room itself.
        "--FileContentsManager.delete_to_trash=False",
        f"--ServerApp.jpserver_extensions={off!r}",
    ]
