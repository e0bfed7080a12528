"""No tracked file names a registry, a folder of somebody's machine, or a secret."""

import re

import pytest
from clone import CLONE, name_of, tracked_files

# Put together from halves, so that this file does not match itself.
HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry" + ".npmjs",
    "npmjs" + ".com",
    "registry" + ".yarnpkg",
    "conda.ana" + "conda.org",
    "docker" + ".io/",
]
FOLDERS = ["wo" + "rk", "ro" + "ot", "ho" + "me/(?!me/)[a-z]", "Us" + "ers/[a-z]", "tmp/" + "brief"]
REGISTRY = re.compile("|".join(map(re.escape, HOSTS)))
MACHINE = re.compile(rf"(?<![\w.*)\]}}>/-])/(?:{'|'.join(FOLDERS)})[/\w]")
SECRET = re.compile("BEGIN [A-Z ]*PRIVATE " + "KEY|(?:ghp|glpat|xox[bp])" + "[-_][A-Za-z0-9]{16,}")
RULES = {"registry host": REGISTRY, "machine path": MACHINE, "secret": SECRET}


@pytest.mark.parametrize("rule", RULES)
def test_no_tracked_file_holds_a(rule: str) -> None:
    found = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        hits = [
            number for number, line in enumerate(text.splitlines(), 1) if RULES[rule].search(line)
        ]
        found += [f"{name_of(path)}:{number}" for number in hits]

    assert found == []


def test_nothing_that_is_made_is_tracked() -> None:
    made = re.compile(
        r"(^|/)(node_modules|__pycache__|\.typing|build|dist|\.bioskills|labextension)/|\.whl$|uv\.lock$"
    )

    assert [name_of(path) for path in tracked_files() if made.search(name_of(path))] == []


def test_the_licence_names_both_licences() -> None:
    text = (CLONE / "LICENSE").read_text(encoding="utf-8")

    assert "BSD 3-Clause" in text
    assert "Creative Commons Attribution 4.0" in text or "CC BY 4.0" in text or "CC-BY-4.0" in text
