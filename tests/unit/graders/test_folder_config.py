"""A course's configuration is parsed; what is no plain value of a known name is left out."""

from pathlib import Path

import pytest

from bioskills.base.problems import InputError
from bioskills.graders.folder_config import read_config


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("c.CourseDirectory.course_id = 'bio'", {"CourseDirectory.course_id": "bio"}),
        ("c.CourseDirectory.ignore = ['*.tmp']", {"CourseDirectory.ignore": ["*.tmp"]}),
        ("c.Execute.timeout = -1", {"Execute.timeout": -1}),
        ("c.Execute.timeout = True", {}),
        ("c.Execute.timeout = 10 * 6", {}),
        ("c.CourseDirectory.ignore = [1]", {}),
        ("c.CourseDirectory.ignore += ['*.tmp']", {}),
        ("if True:\n    c.Execute.timeout = 9", {}),
        ("c.Execute.timeout = 1\nc.Execute.timeout = 2", {"Execute.timeout": 2}),
        (
            "from nbgrader.plugins import LateSubmissionPlugin as P\nc.AssignLatePenalties.plugin_class = P",
            {"AssignLatePenalties.plugin_class": "nbgrader.plugins.LateSubmissionPlugin"},
        ),
    ],
)
def test_only_plain_values_of_known_names_count(
    tmp_path: Path, text: str, used: dict[str, object]
) -> None:
    (tmp_path / "nbgrader_config.py").write_text(text)

    assert used == read_config(tmp_path).used


@pytest.mark.parametrize(
    "line",
    [
        "c.Autograde.autograde_preprocessors = []",
        "load_subconfig('more.py')",
        "c.KernelManager.transport = 'ipc'",
        "for name in (): pass",
        "c.Execute.timeout = int('3')",
    ],
)
def test_what_could_change_scores_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n\n{line}\n")
    found = read_config(tmp_path)

    assert found.may_matter == [f"nbgrader_config.py:3: {line}"]
    assert found.used == {}


def test_the_rest_is_set_aside(tmp_path: Path) -> None:
    text = '"""Course."""\nimport os\nc = get_config()\nends = ["tex"]\nc.Exchange.root = os.getcwd()\nc.CourseDirectory.root = "/far"'
    (tmp_path / "nbgrader_config.py").write_text(text)
    found = read_config(tmp_path)

    assert (found.used, found.may_matter) == ({}, [])
    assert [line.partition(" ")[2] for line in found.aside] == [
        'ends = ["tex"]',
        "c.Exchange.root = os.getcwd()",
        'c.CourseDirectory.root = "/far"',
    ]


def test_json_counts_in_the_same_way(tmp_path: Path) -> None:
    text = '{"Execute": {"timeout": 5}, "SaveAutoGrades": {"enabled": false}}'
    (tmp_path / "nbgrader_config.json").write_text(text)
    found = read_config(tmp_path)

    assert found.used == {"Execute.timeout": 5}
    assert found.may_matter == ["nbgrader_config.json: SaveAutoGrades.enabled"]


def test_what_the_steps_need_is_sorted_by_class(tmp_path: Path) -> None:
    text = (
        "c.IgnorePattern.enabled = True\nc.IgnorePattern.pattern = 'x'\nc.LimitOutput.max_lines = 5"
    )
    (tmp_path / "nbgrader_config.py").write_text(text)

    assert read_config(tmp_path).inside == {
        "IgnorePattern": {"enabled": True, "pattern": "x"},
        "LimitOutput": {"max_lines": 5},
    }


@pytest.mark.parametrize(
    "text",
    [
        "c.AssignLatePenalties.plugin_class = 'mine.Plugin'",
        "import mine\nc.AssignLatePenalties.plugin_class = mine.Plugin",
        "c.broken = (",
        "c = '" + "\0" + "'",
    ],
)
def test_a_plugin_of_the_course_and_broken_text_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "nbgrader_config.py").write_text(text)

    with pytest.raises(InputError, match=r"nbgrader_config\.py"):
        read_config(tmp_path)
