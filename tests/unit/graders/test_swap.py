"""Folders change places in one step, and a swap that was ended half way is mended."""

from pathlib import Path

import pytest

from bioskills.graders import intake
from bioskills.graders.intake import put_back_asides, swap_in


def folder(place: Path, text: str) -> Path:
    place.mkdir(parents=True)
    (place / "a.ipynb").write_text(text)
    return place


@pytest.fixture(params=["exchange", "aside"])
def _both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "aside":  # a disk that cannot exchange two names
        monkeypatch.setattr(intake, "_exchange", lambda _one, _other: False)


@pytest.mark.usefixtures("_both")
def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    place = folder(tmp_path / "autograded" / "ada" / "p1", "old")
    staged = folder(tmp_path / "slots" / "7" / "kept", "new")
    swap_in(staged, place)

    assert (place / "a.ipynb").read_text() == "new"
    assert not staged.exists()
    assert [path.name for path in place.parent.iterdir()] == ["p1"]


@pytest.mark.usefixtures("_both")
def test_the_first_folder_needs_no_old_one(tmp_path: Path) -> None:
    place = tmp_path / "autograded" / "ada" / "p1"
    swap_in(folder(tmp_path / "kept", "new"), place)

    assert (place / "a.ipynb").read_text() == "new"


@pytest.mark.parametrize("there", [True, False])
def test_a_swap_that_was_ended_half_way_leaves_one_whole_folder(
    tmp_path: Path, *, there: bool
) -> None:
    place = tmp_path / "autograded" / "ada" / "p1"
    folder(place.with_name(".p1.old"), "old")
    if there:
        folder(place, "new")
    put_back_asides(tmp_path / "autograded")

    assert (place / "a.ipynb").read_text() == ("new" if there else "old")
    assert [path.name for path in place.parent.iterdir()] == ["p1"]


def test_an_exchange_is_one_step_where_the_disk_can(tmp_path: Path) -> None:
    one, other = folder(tmp_path / "one", "1"), folder(tmp_path / "other", "2")
    if not intake._exchange(one, other):
        pytest.skip("this disk cannot exchange two names")

    assert [(path / "a.ipynb").read_text() for path in (one, other)] == ["2", "1"]
