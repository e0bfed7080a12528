"""Each environment is what its folder in `images/` says."""

import os
import subprocess

import pytest
from bioskills_product import ENVIRONMENTS
from bioskills_tests import ROOT

pytestmark = pytest.mark.integration
BUILT = ("hub", "lab", "course")


@pytest.mark.parametrize("name", BUILT)
def test_an_environment_passes_its_own_verify(name):
    done = subprocess.run(
        [ROOT / "images" / name / "verify", ENVIRONMENTS / name], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", BUILT)
def test_nobody_but_the_owner_can_write_into_an_environment(name):
    open_to_others = [
        os.path.join(folder, entry)
        for folder, names, files in os.walk(ENVIRONMENTS / name)
        for entry in (*names, *files)
        if not os.path.islink(os.path.join(folder, entry))
        and os.stat(os.path.join(folder, entry)).st_mode & 0o022
    ]

    assert open_to_others == []
