"""`nbgrader fetch_assignment` over HTTP.

Law: a learner's file is never overwritten; a fetched folder appears complete or
not at all, and remembers the version it came from.
"""

import json
from contextlib import suppress
from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchAssignment

from bioskills.base.text import _
from bioskills.graders.exchange.campus_exchange import CampusExchange
from bioskills.graders.exchange.trees import OWN, add_missing, lay_out

RELEASED = "released.json"


class CampusFetchAssignment(CampusExchange, ExchangeFetchAssignment):  # type: ignore[misc]
    """Fetch what is released."""

    def init_dest(self) -> None:
        """Refuse to fetch over a folder that is there."""
        if self.work_folder.is_dir() and not self.replace_missing_files:
            text = _(
                "You already have a copy of the assignment in this directory: {name}. To get back "
                "files that you removed: nbgrader fetch_assignment {name} --course={run} --replace"
            )
            self.fail(text.format(name=self.assignment, run=self.run))

    def copy_files(self) -> None:
        """Fetch the release and lay it out."""
        folder = self.work_folder
        with self.campus.release(self.run, self.assignment) as (tree, version):
            if folder.is_dir():
                for path in add_missing(tree, folder):
                    self.log.warning(_("Replacing missing file '{path}'").format(path=path))
            else:
                lay_out(tree, folder)
                note_version(folder, self.run, version)
        self.tell(_("Destination: {folder}"), folder=folder)
        self.tell(_("Fetched as: {run} {name}"), run=self.run, name=self.assignment)


def note_version(folder: Path, run: str, version: int) -> None:
    """Remember which version lies in a folder; the Lab panel reads the same note."""
    own = folder / OWN
    own.mkdir(exist_ok=True)
    (own / RELEASED).write_text(json.dumps({"run": run, "version": version}), encoding="utf-8")


def noted_version(folder: Path, run: str) -> int | None:
    """Return the version that was fetched for this run, or None where no note says so."""
    with suppress(OSError, ValueError, AttributeError):
        note = json.loads((folder / OWN / RELEASED).read_text(encoding="utf-8"))
        if note.get("run") == run and isinstance(note.get("version"), int):
            return int(note["version"])
    return None
