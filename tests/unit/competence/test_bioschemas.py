"""What harvesters read about lessons, courses, runs and outcomes is complete or not written."""

from typing import Any

import pytest

from bioskills.base.problems import InputError
from bioskills.competence.bioschemas import (
    CONFORMS,
    REQUIRED,
    Dated,
    Described,
    Profile,
    course,
    lesson,
    missing_fields,
    run,
    term_set,
)
from bioskills.competence.case import case_package
from bioskills.competence.framework import Framework

SITE = "https://skills.example.org"
LESSON: dict[str, Any] = {
    "url": f"{SITE}/catalog/lessons/u04-l1",
    "name": "Pairwise alignment",
    "description": "A notebook on scores, gaps and identity.",
    "keywords": ["sequence alignment"],
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "authors": ["A. Author"],
    "hours": 3,
    "teaches": ["BSH-U04-S2"],
    "requires": ["BSH-U04-K2"],
    "levels": [5],
    "kinds": ["notebook"],
    "translations": {"de": f"{SITE}/de/catalog/lessons/u04-l1"},
}
RUN = Dated(
    f"{SITE}/catalog/runs/spring", "Spring", "blended", "https://meet.example.org/x", "2027-03-01"
)


def documents(framework: Framework) -> dict[Profile, dict[str, Any]]:
    page = Described(**LESSON)
    return {
        "TrainingMaterial": lesson(page, framework, SITE),
        "Course": course(page, framework, SITE, [RUN]),
        "CourseInstance": run(RUN),
    }


@pytest.mark.parametrize("profile", REQUIRED)
def test_what_a_profile_requires_is_there(profile: Profile, framework: Framework) -> None:
    found = documents(framework)[profile]

    assert missing_fields(profile, found) == []
    assert found[CONFORMS]["@id"] == f"https://bioschemas.org/profiles/{profile}/1.0-RELEASE"


@pytest.mark.parametrize("field", ["name", "description", "keywords"])
@pytest.mark.parametrize("write", [lesson, course])
def test_a_page_that_lacks_what_is_required_is_not_described(
    field: str, write: Any, framework: Framework
) -> None:
    page = Described(**LESSON | {field: "" if field != "keywords" else []})

    with pytest.raises(InputError, match=f"has no {field}"):
        write(page, framework, SITE)


def test_a_run_without_a_place_is_not_described() -> None:
    with pytest.raises(InputError, match="has no location"):
        run(Dated(RUN.url, "Spring", "onsite", ""))


def test_a_duration_is_text_as_the_profile_describes_it(framework: Framework) -> None:
    # The published JSON Schema wants an object there, and so is no gate.
    assert documents(framework)["TrainingMaterial"]["timeRequired"] == "PT3H"


def test_what_a_lesson_teaches_is_named_by_the_address_of_its_case_item(
    framework: Framework,
) -> None:
    [term] = documents(framework)["TrainingMaterial"]["teaches"]
    package = case_package(framework, SITE)
    items = {item["uri"]: item for item in package["CFItems"]}

    assert items[term["@id"]]["humanCodingScheme"] == term["termCode"] == "BSH-U04-S2"
    assert term["inDefinedTermSet"] == package["CFDocument"]["uri"]


def test_a_course_lists_its_runs_and_what_it_asks_for(framework: Framework) -> None:
    found = documents(framework)["Course"]

    assert found["hasCourseInstance"][0]["courseMode"] == "blended"
    assert found["hasCourseInstance"][0]["location"]["@type"] == "VirtualLocation"
    assert found["coursePrerequisites"][0]["termCode"] == "BSH-U04-K2"


def test_other_languages_of_a_page_are_linked(framework: Framework) -> None:
    [link] = documents(framework)["TrainingMaterial"]["workTranslation"]

    assert (link["inLanguage"], link["url"]) == ("de", f"{SITE}/de/catalog/lessons/u04-l1")


def test_nothing_empty_is_written(framework: Framework) -> None:
    small = Described(LESSON["url"], "n", "d", ["k"])

    assert not {"license", "author", "timeRequired", "teaches"} & set(
        lesson(small, framework, SITE)
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_terms_of_a_framework_are_its_units_and_outcomes(
    language: str, framework: Framework
) -> None:
    found = term_set(framework, SITE, language)
    names = {term["termCode"]: term["name"] for term in found["hasDefinedTerm"]}

    assert len(names) == 14 + 81
    assert names["BSH-U04"] == framework.unit("BSH-U04").title_in(language)
