"""The distribution holds all of our modules and nothing of the courses."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from clone import CLONE, package_folders, setuptools_table
from setup.wheels import package_files


def folders_with_init() -> set[str]:
    found = set()
    for name, root in package_folders().items():
        for init in root.rglob("__init__.py"):
            parts = init.parent.relative_to(root).parts
            if not any("-" in part or part == "node_modules" for part in parts):
                found.add(".".join([name, *parts]))
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    source = tmp_path_factory.mktemp("source")
    for path in package_files(CLONE):
        copy = source / path.relative_to(CLONE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-c", build, str(out)], cwd=source, check=True, capture_output=True
    )
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_package_list_is_the_folders_with_an_init_file() -> None:
    assert set(setuptools_table()["packages"]) == folders_with_init()


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
    courses = {
        name
        for name in data
        if name.startswith("bioskills/courses/") and "-" in Path(name).parts[2]
    }

    assert sorted(data - courses - inside) == []


def test_the_hub_configuration_stays_short() -> None:
    lines = (CLONE / "jupyterhub_config.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 50
