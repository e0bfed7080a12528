"""A plain course folder gets five lines, and nothing that somebody wrote is changed."""

from pathlib import Path

import pytest
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute
from traitlets.config import Config

from bioskills.base.problems import SetupError
from bioskills.graders.plain_folder import ASK, CONFIG, EXECUTE, LINES, configure, ensure_config


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "source" / "ps1").mkdir(parents=True)
    return tmp_path


def test_a_folder_without_a_configuration_gets_ours(folder: Path) -> None:
    assert ensure_config(folder).read_text() == LINES
    assert ensure_config(folder) == folder / CONFIG


def test_somebody_s_own_configuration_stays_and_the_lines_are_said(folder: Path) -> None:
    (folder / CONFIG).write_text("c = get_config()\n")

    with pytest.raises(SetupError, match=r"was not changed(?s:.*)plain_folder import configure"):
        ensure_config(folder)

    assert (folder / CONFIG).read_text() == "c = get_config()\n"


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no nbgrader course folder"):
        ensure_config(tmp_path)


def test_only_what_runs_the_cells_is_replaced_and_one_step_follows() -> None:
    config = Config()
    configure(config)
    stock = Autograde.autograde_preprocessors.default_args[0]
    ours = config.Autograde.autograde_preprocessors

    assert [*(EXECUTE if p is Execute else p for p in stock), ASK] == ours
    assert ours.count(EXECUTE) == 1
