"""The distributions hold all of our modules, each once, and nothing of the courses."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from clone import CLONE, FORK_SERVER, package_folders, project_table, setuptools_table
from setup.marks import files_of
from setup.wheels import package_files


def folders_with_init(distribution: Path) -> set[str]:
    found = set()
    for name, root in package_folders(distribution).items():
        for init in root.rglob("__init__.py"):
            parts = init.parent.relative_to(root).parts
            if not any("-" in part or part == "node_modules" for part in parts):
                found.add(".".join([name, *parts]))
    return found


def build(files: list[Path], root: Path, work: Path) -> zipfile.ZipFile:
    for path in files:
        copy = work / "source" / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    ask = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", ask, str(work)], cwd=work / "source", check=True, capture_output=True
    )
    return zipfile.ZipFile(next(work.glob("*.whl")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(package_files(CLONE), CLONE, tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def fork_wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(files_of(FORK_SERVER), FORK_SERVER, tmp_path_factory.mktemp("fork_server"))


@pytest.mark.parametrize("distribution", [CLONE, FORK_SERVER], ids=["hub", "fork server"])
def test_the_package_list_is_the_folders_with_an_init_file(distribution: Path) -> None:
    assert set(setuptools_table(distribution)["packages"]) == folders_with_init(distribution)


def test_the_fork_server_s_wheel_holds_its_modules_and_nothing_else(
    fork_wheel: zipfile.ZipFile,
) -> None:
    inside = {name for name in fork_wheel.namelist() if ".dist-info/" not in name}
    modules = {f"bioskills/fork_server/{path.name}" for path in FORK_SERVER.glob("*.py")}

    assert inside == modules | {"bioskills/fork_server/py.typed"}


def test_no_module_is_in_two_wheels(wheel: zipfile.ZipFile, fork_wheel: zipfile.ZipFile) -> None:
    assert set(wheel.namelist()) & set(fork_wheel.namelist()) == set()


def test_the_two_distributions_have_one_version() -> None:
    ours, fork_server = project_table()["project"], project_table(FORK_SERVER)["project"]

    assert ours["version"] == fork_server["version"]
    assert f"{fork_server['name']}=={fork_server['version']}" in ours["dependencies"]


def test_the_fork_server_asks_for_no_other_package() -> None:
    assert project_table(FORK_SERVER)["project"]["dependencies"] == []


def test_no_notebook_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    content = (".ipynb", ".gb", ".fasta", "competence.yaml", "course.yml")

    assert [name for name in wheel.namelist() if name.endswith(content)] == []


def test_every_module_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    modules = {
        f"{name.replace('.', '/')}/{path.relative_to(root)}"
        for name, root in package_folders().items()
        for path in root.rglob("*.py")
        if not any(
            "-" in part or part == "node_modules" for part in path.relative_to(root).parts[:-1]
        )
    }

    assert sorted(modules - inside) == []


def test_templates_and_data_are_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    data = {
        f"{name.replace('.', '/')}/{path.relative_to(root)}"
        for name, root in package_folders().items()
        for folder in ("templates", "static", "frameworks")
        for path in root.rglob(f"{folder}/**/*")
        if path.is_file()
        and "competence-lab" not in path.parts
        and "node_modules" not in path.parts
    }
    data |= {
        f"bioskills/base/{path.relative_to(CLONE / 'extensions' / 'base')}"
        for path in (CLONE / "extensions" / "base" / "locale").rglob("*.po")
    }
    courses = {
        name
        for name in data
        if name.startswith("bioskills/courses/") and "-" in Path(name).parts[2]
    }

    assert sorted(data - courses - inside) == []


def test_the_hub_configuration_stays_short() -> None:
    lines = (CLONE / "jupyterhub_config.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 50
