"""The set-up and the product follow the same rules, though they cannot share code."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from clone import CLONE
from setup import folders, marks

from bioskills.base.places import SYSTEM_DATA_DIR, default_data_dir, places_of
from bioskills.base.settings import load_settings
from bioskills.hub import doctor_state


@pytest.fixture
def clone() -> Iterator[Path]:
    # Not pytest's own folder: that is closed to other users.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def both(
    clone: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> tuple[Path, Path]:
    monkeypatch.chdir(clone)
    return folders.environments_folder(clone, environ), places_of(
        load_settings(environ=environ)
    ).environments


def first_time(clone: Path) -> tuple[Path, Path]:
    """Where both put environments before there are any (later ones know their own place)."""
    return folders.environments_folder(clone, {}), default_data_dir(clone) / "env"


def test_environments_lie_beside_an_open_clone(clone: Path) -> None:
    assert first_time(clone) == (clone / ".bioskills" / "env",) * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives labs other uids")
def test_environments_lie_in_the_system_folder_where_the_clone_is_closed(clone: Path) -> None:
    clone.chmod(0o700)

    assert first_time(clone) == (SYSTEM_DATA_DIR / "env",) * 2


@pytest.mark.parametrize(
    "environ",
    [{"BIOSKILLS_PATHS_DATA_DIR": "/srv/data"}, {"BIOSKILLS_PATHS_ENVIRONMENTS_DIR": "/srv/env"}],
    ids=["data", "environments"],
)
def test_a_variable_moves_the_environments(
    clone: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    ours, products = both(clone, monkeypatch, environ)

    assert ours == products
    assert ours.is_relative_to("/srv")


def test_the_settings_file_moves_the_environments(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "bioskills.toml").write_text('[paths]\ndata_dir = "elsewhere"\n', encoding="utf-8")

    assert both(clone, monkeypatch, {}) == (clone / "elsewhere" / "env",) * 2


def test_set_up_and_doctor_know_the_same_mark() -> None:
    assert doctor_state.COMPLETE == marks.MARK


def test_the_set_up_imports_the_standard_library_alone() -> None:
    ours = "\n".join(path.read_text(encoding="utf-8") for path in (CLONE / "images").rglob("*.py"))

    assert "import bioskills" not in ours
    assert "from bioskills" not in ours
