"""Two cohorts on one hub: each learner's lab has the limits of their own cohort."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_http import Lab, start_lab, stop_lab
from bioskills_product import Product

from bioskills.fork_server import cgroups

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each learner an own uid"),
]

MB = 1 << 20
SETTINGS_MB = 2048


def text(cohort: str, people: tuple[str, ...], limits: str) -> str:
    rows = "".join(f'[[people]]\nname = "{name}"\nroles = ["learner"]\n' for name in people)
    return f'[cohort]\nslug = "{cohort}"\n{rows}[limits]\n{limits}'


def applied(product: Product, file: Path, content: str) -> str:
    file.write_text(content, encoding="utf-8")
    done = product.command("cohort", "apply", str(file))
    assert done.returncode == 0, done.stderr
    return done.stdout


def held(lab: Lab) -> tuple[int | None, int | None]:
    """Return the memory in MB and the processes that the kernel allows a learner."""
    counts = cgroups.counts(lab.product.run_dir.name.removeprefix("bsh-"), lab.uid)
    return counts.memory_limit and counts.memory_limit // MB, counts.processes_limit


@pytest.fixture(scope="module")
def passwords(product: Product, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Apply two cohorts of a running hub; one learner is in both."""
    if not {"memory", "pids"} <= set(cgroups.here().controllers):
        pytest.skip("no control groups here")
    folder = tmp_path_factory.mktemp("limits")
    said = applied(
        product, folder / "a.toml", text("narrow", ("uma", "wanda"), "memory_mb = 512\n")
    )
    wide = "memory_mb = 768\nprocesses = 100\n"
    said += applied(product, folder / "b.toml", text("wide", ("vic", "wanda"), wide))
    return dict(re.findall(r"^  (uma|vic|wanda) +(\S+)$", said, re.MULTILINE))


@pytest.fixture
def labs(product: Product, passwords: dict[str, str]) -> Iterator[dict[str, Lab]]:
    found = {name: start_lab(product, name, password) for name, password in passwords.items()}
    yield found
    for lab in found.values():
        stop_lab(lab)


def test_each_lab_has_the_limits_of_its_cohorts(product: Product, labs: dict[str, Lab]) -> None:
    lea = start_lab(product, "lea")

    assert held(labs["uma"]) == (512, 256)
    assert held(labs["vic"]) == (768, 100)
    assert held(labs["wanda"]) == (768, 100), "in both: the larger, whoever sets it"
    assert held(lea)[0] == SETTINGS_MB, "the demo cohort sets none"


def test_another_limit_holds_from_the_next_start(
    product: Product, passwords: dict[str, str], tmp_path: Path
) -> None:
    lab = start_lab(product, "uma", passwords["uma"])

    said = applied(product, tmp_path / "a.toml", text("narrow", ("uma",), "memory_mb = 320\n"))

    assert "limit memory_mb 512 → 320, for each lab from its next start" in said
    assert held(lab)[0] == 512
    stop_lab(lab)
    lab = start_lab(product, "uma", passwords["uma"])
    assert held(lab)[0] == 320
    stop_lab(lab)
