"""Turn a framework into another system's file, and such a file into a draft.

Law: data in, data out; the formats are those of `bioskills.competence`.
"""

import json
import re
from datetime import date
from typing import Literal

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.competence.bioschemas import term_set
from bioskills.competence.case import case_package
from bioskills.competence.case_own import own_draft
from bioskills.competence.case_reading import foreign_draft, read_package
from bioskills.competence.framework import Framework, load_framework
from bioskills.competence.framework_form import ID, VERSION
from bioskills.competence.moodle import moodle_csv
from bioskills.competence.moodle_reading import moodle_draft


def exported(
    framework: Framework, form: Literal["case", "moodle", "bioschemas"], site: str, language: str
) -> str:
    """Return the text of a file in another system's form."""
    if form == "moodle":
        return moodle_csv(framework, language)
    if form == "bioschemas":
        return _json(term_set(framework, site, language))
    before = load_framework(framework.replaces) if framework.replaces else None
    return _json(case_package(framework, site, before))


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def imported(
    content: bytes, form: Literal["case", "moodle"], name: str, version: str, today: date
) -> dict[str, bytes]:
    """Return the files of the draft that another system's file makes.

    Args:
        content: The file.
        form: Which system's.
        name: What it is called here; a package of ours keeps its own name and version.
        version: Of the draft.
        today: The day that the draft is dated.

    Raises:
        InputError: With everything that is wrong with it.
    """
    if not re.fullmatch(ID, name) or not re.fullmatch(VERSION, version):
        text = _("is no name and version of a framework.")
        step = _("Write: --id ACME --version 0.1.0")
        raise InputError([Problem(f"{name}@{version}", text, next=step)])
    if form == "moodle":
        return moodle_draft(content, name, version, today)
    package = read_package(content)
    if package.is_ours:
        return own_draft(package)
    return foreign_draft(package, name, version, today)
