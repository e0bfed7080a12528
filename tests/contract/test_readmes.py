"""Every folder of the first two levels opens with a short README."""

from pathlib import Path

import pytest
from clone import CLONE, name_of, tracked_files

MOST_LINES = 20
SPOKEN_FOR = {
    # One page says what each kind of test is; the folders hold nothing but tests.
    "tests": "tests/README.md",
    # One page says what each environment is for; the folders hold its lock.
    "images": "images/README.md",
    # docs/index.md is the map of these four.
    "docs": "docs/index.md",
}
CONTENT = {"courses"}
"""A course's own README is written for its learners and has its own rules (bioskills course check)."""
DATA = {"static", "templates", "migrations", "frameworks"}


def folders() -> list[Path]:
    inside = {path.relative_to(CLONE).parts[:-1] for path in tracked_files()}
    names = {parts[:depth] for parts in inside for depth in (1, 2) if len(parts) >= depth}
    kept = {
        n
        for n in names
        if not n[0].startswith(".") and n[-1] not in DATA and not n[-1].endswith(".d")
    }
    return sorted(CLONE.joinpath(*name) for name in kept)


@pytest.mark.parametrize("folder", folders(), ids=name_of)
def test_a_folder_has_a_readme_of_at_most_twenty_lines(folder: Path) -> None:
    parts = folder.relative_to(CLONE).parts
    readme = (
        CLONE / SPOKEN_FOR[parts[0]]
        if len(parts) == 2 and parts[0] in SPOKEN_FOR
        else folder / "README.md"
    )

    assert readme.is_file()
    if not (len(parts) == 2 and parts[0] in CONTENT) and readme.name == "README.md":
        assert len(readme.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
