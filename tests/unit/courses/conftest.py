"""A small, right course that every test bends in one place."""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

Tree = dict[str, Any]


def cell(kind: str, source: str, name: str, **nbgrader: Any) -> Tree:
    """Return a notebook cell; nbgrader's keys make it an answer or a grade cell."""
    metadata: Tree = {}
    if nbgrader:
        metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": name,
            "grade": False,
            "solution": False,
            "locked": True,
            "task": False,
            **nbgrader,
        }
    made: Tree = {"cell_type": kind, "id": name.replace("_", "-"), "metadata": metadata}
    made["source"] = source
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    return made


def notebook(*cells: Tree) -> Tree:
    """Return a notebook in the form a course keeps it."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "authors": [{"name": "A. Author"}],
            "license": {"text": "CC-BY-4.0", "code": "BSD-3-Clause"},
        },
        "cells": list(cells),
    }


ANSWER = '''def letters(text):
    """Return how many different letters text holds."""
    ### BEGIN SOLUTION
    lowered = text.lower()
    return len(set(lowered) - {"-"})
    ### END SOLUTION
'''

TEST = """assert letters("AAC") == 2, "[upper_case] an upper-case word was counted wrongly"
### BEGIN HIDDEN TESTS
assert letters("Aac") == 2, "[mixed_case] a word in both cases was counted wrongly"
assert letters("A--") == 1, "[gaps] a word with gaps was counted wrongly"
### END HIDDEN TESTS
"""

MANIFEST: Tree = {
    "id": "small-course",
    "version": "1.0.0",
    "title": "A small course",
    "summary": "One lesson and one practice.",
    "language": "en",
    "level": {"track": "basic", "eqf": 4},
    "audience": ["Testers"],
    "hours": {"live": 0.5, "self_study": 0.5, "workplace": 0, "assessment": 1},
    "units": [
        {"code": "BSH-U04", "mode": "contributes", "outcomes": ["BSH-U04-S1"], "hours": 2},
    ],
    "prerequisites": [],
    "lessons": [
        {
            "id": "lesson-01",
            "file": "lessons/01-letters.ipynb",
            "title": "Letters",
            "question": "Which letters occur?",
            "objectives": ["Count letters", "Compare two words"],
            "minutes": 60,
            "key_points": ["Case matters."],
            "uses_data": ["data/words.txt"],
            "outcomes": ["BSH-U04-S1"],
        },
    ],
    "assignments": [
        {
            "id": "p1",
            "title": "Practice",
            "file": "assignments/p1/p1.ipynb",
            "kind": "practice",
            "minutes": 20,
            "points": 5,
            "pass_share": "0.60",
            "attempts": {"max": None, "cooldown_hours": 0},
            "release": "automatic",
            "due_offset_days": 7,
            "summary": "Count letters.",
            "uses_data": [],
        },
    ],
    "requires": {"python": [], "debian": [], "memory_mb": 256, "cpu_s": 60},
    "edam_topics": [],
    "keywords": [],
    "authors": [{"name": "A. Author", "role": "author"}],
    "license": {"text": "CC-BY-4.0", "code": "BSD-3-Clause"},
    "life_cycle": "draft",
}

MAPPING: Tree = {
    "framework": "BSH@1.0.0",
    "mapping_version": 1,
    "tasks": [
        {
            "id": "p1",
            "title": "Practice",
            "assignments": ["p1"],
            "kind": "formative",
            "cells": [
                {"cell": "p1/letters", "outcomes": {"BSH-U04-S1": "1.0"}},
                {"cell": "p1/letters_because", "outcomes": {"BSH-U04-S1": "1.0"}},
            ],
        },
    ],
}

NOTES: Tree = {
    "cells": {
        "letters": {
            "title": "Different letters",
            "outcomes": ["BSH-U04-S1"],
            "graded": "automatic",
            "answer": "letters_answer",
            "checks": [
                {"id": "upper_case", "visible": True, "label": "an upper-case word"},
                {"id": "mixed_case", "visible": False, "label": "a word in both cases"},
                {"id": "gaps", "visible": False, "label": "a word with gaps"},
            ],
            "hints": ["Where to look.", "What to compare.", "What kind of operation."],
        },
        "letters_because": {
            "title": "Why case matters",
            "outcomes": ["BSH-U04-S1"],
            "graded": "person",
            "rubric": [{"points": 3, "text": "Full."}, {"points": 0, "text": "Nothing."}],
        },
    },
}

VARIANT: Tree = {
    "why": "Takes upper and lower case for different letters.",
    "cell": "letters_answer",
    "source": 'def letters(text):\n    return len(set(text) - {"-"})\n',
    "fails": ["letters"],
    "passes_visible": True,
}

WORDS = b"AAC\nACG\n"

LESSON = notebook(
    cell("markdown", "# Letters\n\nLook at the words.", "intro"),
    cell("code", 'print(open("../data/words.txt").read())', "look"),
)

P1 = notebook(
    cell("markdown", "# Practice\n\nCount letters.", "p1_intro"),
    cell("code", ANSWER, "letters_answer", solution=True, locked=False),
    cell("code", TEST, "letters", grade=True, points=2),
    cell(
        "markdown",
        "Because upper and lower case are different letters.",
        "letters_because",
        grade=True,
        solution=True,
        locked=False,
        points=3,
    ),
)


class CourseBuilder:
    """The files of a right course, with each typed file ready to be changed."""

    def __init__(self) -> None:
        self.manifest = copy.deepcopy(MANIFEST)
        self.mapping = copy.deepcopy(MAPPING)
        self.notes = copy.deepcopy(NOTES)
        self.variant = copy.deepcopy(VARIANT)
        self.lesson = copy.deepcopy(LESSON)
        self.p1 = copy.deepcopy(P1)
        digest = hashlib.sha256(WORDS).hexdigest()
        self.data: Tree = {
            "files": [
                {
                    "path": "data/words.txt",
                    "sha256": digest,
                    "source": "made for this test",
                    "license": "CC0-1.0",
                    "changes": "none",
                },
            ],
        }
        self.extra: dict[str, bytes] = {
            "README.md": b"# A small course\n",
            "CHANGELOG.md": b"# Changelog\n",
            "LICENSE": b"CC BY 4.0\n",
            "nbgrader_config.py": b"c = get_config()\n",
            "data/words.txt": WORDS,
        }

    def cell(self, book: Tree, name: str) -> Tree:
        """Return the cell of this name, ready to be changed."""
        found: Tree = next(c for c in book["cells"] if c["id"] == name.replace("_", "-"))
        return found

    def files(self) -> dict[str, bytes]:
        """Return the course as `read_course` would."""
        return {
            **self.extra,
            "course.yml": _yaml(self.manifest),
            "competence.yaml": _yaml(self.mapping),
            "data.yml": _yaml(self.data),
            "grading/p1.yml": _yaml(self.notes),
            "variants/p1/case-kept.yml": _yaml(self.variant),
            "lessons/01-letters.ipynb": json.dumps(self.lesson).encode(),
            "assignments/p1/p1.ipynb": json.dumps(self.p1).encode(),
        }


def _yaml(value: object) -> bytes:
    return yaml.safe_dump(value, sort_keys=False).encode()


@pytest.fixture
def course() -> CourseBuilder:
    return CourseBuilder()


@pytest.fixture
def make_cell() -> Callable[..., Tree]:
    return cell
