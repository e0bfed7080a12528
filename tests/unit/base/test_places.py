"""Where an installation lies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bioskills.base import settings as settings_module
from bioskills.base.places import SYSTEM_DATA_DIR, default_data_dir, others_can_reach, places_of
from bioskills.base.settings import Settings, installed_data_dir

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has learners of other uids")


def environment(data: Path, name: str, *, complete: bool = True) -> Path:
    folder = data / "env" / name
    folder.mkdir(parents=True)
    if complete:
        (folder / ".complete").touch()
    return folder


def opened(path: Path) -> Path:
    """Let others traverse pytest's own folders, which are closed."""
    path.mkdir(exist_ok=True)
    for folder in (path, *path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o755)
    return path


def test_data_lies_beside_the_code_where_others_can_reach_it(tmp_path: Path) -> None:
    code = opened(tmp_path / "code")

    assert default_data_dir(code) == code / ".bioskills"


@as_root
def test_data_lies_in_the_systems_folder_where_learners_could_not_reach_it(tmp_path: Path) -> None:
    closed = opened(tmp_path / "closed")
    code = opened(closed / "code")
    closed.chmod(0o700)

    assert not others_can_reach(code)
    assert default_data_dir(code) == SYSTEM_DATA_DIR


def test_a_program_of_an_installation_means_that_installations_data(tmp_path: Path) -> None:
    for name in ("hub", "lab", "course", "dev"):
        assert installed_data_dir(environment(tmp_path, name)) == tmp_path


@pytest.mark.parametrize(("name", "complete"), [("hub", False), ("other", True)])
def test_an_environment_that_is_not_ours_says_nothing_about_data(
    tmp_path: Path, name: str, complete: bool
) -> None:
    assert installed_data_dir(environment(tmp_path, name, complete=complete)) is None


def test_a_command_means_the_same_installation_from_any_folder(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "data", "hub")
    (tmp_path / "bioskills.toml").write_text('[site]\ntitle = "Found"\n')
    code = (
        f"import sys; sys.prefix = {str(prefix)!r}\n"
        "from bioskills.base.places import places_of\n"
        "from bioskills.base.settings import load_settings\n"
        "print(places_of(load_settings()).data, load_settings().site.title)"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BIOSKILLS_")}

    said = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environ, capture_output=True, text=True
    )

    assert said.stdout == f"{tmp_path / 'data'} Found\n", said.stderr


def test_a_chosen_folder_wins_over_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module.sys, "prefix", str(environment(tmp_path / "a", "hub")))
    chosen = Settings.model_validate({"paths": {"data_dir": str(tmp_path / "b")}})

    assert places_of(chosen).data == tmp_path / "b"
    assert places_of(chosen).environments == tmp_path / "b" / "env"


def test_homes_and_environments_can_lie_elsewhere(tmp_path: Path) -> None:
    paths = {"data_dir": "data", "homes_dir": "/srv/homes", "environments_dir": "/opt/env"}
    places = places_of(Settings.model_validate({"paths": paths}))

    assert places.homes == Path("/srv/homes")
    assert places.environment("lab") == Path("/opt/env/lab")
    assert places.data.is_absolute()
