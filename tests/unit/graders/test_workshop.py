"""The folder of a run: what is taken in, and what no code may do while a release is made."""

import json
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bioskills.base.wire import Job
from bioskills.graders.scratch_book import decimal
from bioskills.graders.workshop import GenerateError, Workshop, stamp


def job(**more: Any) -> Job:
    about = {"id": 1, "kind": "grade", "run": "r", "course": "c", "course_version": "1.0.0"}
    return Job.model_validate({**about, "assignments": ["a"], "learner": "p-000001", **more})


def shop_with(root: Path, source: str) -> Workshop:
    cell = {
        "cell_type": "code",
        "source": [source],
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    with zipfile.ZipFile(root / "course.zip", "w") as archive:
        archive.writestr("assignments/a/a.ipynb", json.dumps(book))
        archive.writestr("nbgrader_config.py", "raise SystemExit")
    shop = Workshop(root / "shop")
    shop.root.mkdir()
    shop.take_sources(root / "course.zip")
    return shop


def test_a_release_runs_no_code_of_the_course(tmp_path: Path) -> None:
    with pytest.raises(GenerateError, match="AUTOTEST"):
        shop_with(tmp_path, "### HASHED AUTOTEST 1 + 1").generate("a")


def test_the_time_of_the_hand_in_is_utc_and_not_the_learners_to_say(tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").mkdir()
    (tmp_path / "timestamp.txt" / "x").touch()
    moment = datetime(2027, 3, 1, 13, 30, tzinfo=timezone(timedelta(hours=1)))

    stamp(tmp_path, job(submitted_at=moment))
    assert (tmp_path / "timestamp.txt").read_text() == "2027-03-01 12:30:00.000000 UTC"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, None),
        (3.0, "3"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1 / 3, "0.3333333333333333"),
        (1e-30, "0"),
        (1e3, "1000"),
    ],
)
def test_scores_become_exact_decimal_text(number: float | None, text: str | None) -> None:
    assert decimal(number) == text
