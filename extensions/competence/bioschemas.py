"""Describe lessons, courses, runs and outcomes for harvesters (Bioschemas 1.0, LRMI).

Law: what a profile requires is always there, or nothing is written. An outcome
is named by the address of its CASE item. A duration is ISO 8601 text, as the
profile's own description asks; its published JSON Schema wants an object there and is no gate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import SOURCE_LANGUAGE, _
from bioskills.competence.case_ids import CaseNames
from bioskills.competence.framework_model import Framework

CONTEXT = "https://schema.org/"
CONFORMS = "http://purl.org/dc/terms/conformsTo"
PROFILES = "https://bioschemas.org/profiles"

Json = dict[str, Any]
Profile = Literal["TrainingMaterial", "Course", "CourseInstance"]

REQUIRED: Mapping[Profile, tuple[str, ...]] = {
    "TrainingMaterial": ("name", "description", "keywords"),
    "Course": ("name", "description", "keywords"),
    "CourseInstance": ("courseMode", "location"),
}
TYPES: Mapping[Profile, str] = {
    "TrainingMaterial": "LearningResource",
    "Course": "Course",
    "CourseInstance": "CourseInstance",
}


@dataclass(frozen=True)
class Described:
    """What a lesson and a course have in common.

    Attributes:
        url: Address of the page that this is written into.
        hours: Notional workload.
        teaches: Ids of outcomes.
        levels: Levels of the European Qualifications Framework.
        translations: Addresses of the same page by language.
    """

    url: str
    name: str
    description: str
    keywords: Sequence[str]
    language: str = SOURCE_LANGUAGE
    license: str = ""
    authors: Sequence[str] = ()
    hours: int = 0
    teaches: Sequence[str] = ()
    requires: Sequence[str] = ()
    levels: Sequence[int] = ()
    kinds: Sequence[str] = ()
    translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dated:
    """One run of a course.

    Attributes:
        mode: *online*, *onsite* or *blended*.
        location: A place, or the address where it happens online.
    """

    url: str
    name: str
    mode: Literal["online", "onsite", "blended"]
    location: str
    start: str = ""
    end: str = ""
    language: str = SOURCE_LANGUAGE
    instructors: Sequence[str] = ()


def lesson(page: Described, framework: Framework, site: str) -> Json:
    """Return the TrainingMaterial of a lesson's page."""
    found = _head("TrainingMaterial", page.url) | _common(page, framework, site)
    return _sound(
        "TrainingMaterial",
        found
        | {
            "author": [{"@type": "Person", "name": name} for name in page.authors],
            "learningResourceType": list(page.kinds),
            "competencyRequired": _terms(page.requires, framework, site, page.language),
        },
    )


def course(page: Described, framework: Framework, site: str, runs: Iterable[Dated] = ()) -> Json:
    """Return the Course of a course's page, with its runs."""
    found = _head("Course", page.url) | _common(page, framework, site)
    return _sound(
        "Course",
        found
        | {
            "coursePrerequisites": _terms(page.requires, framework, site, page.language),
            "hasCourseInstance": [run(one) for one in runs],
        },
    )


def run(dated: Dated) -> Json:
    """Return the CourseInstance of a run."""
    online = dated.location.startswith(("https://", "http://"))
    kind, key = ("VirtualLocation", "url") if online else ("Place", "name")
    return _sound(
        "CourseInstance",
        _head("CourseInstance", dated.url)
        | {
            "name": dated.name,
            "url": dated.url,
            "courseMode": dated.mode,
            "location": {"@type": kind, key: dated.location} if dated.location else "",
            "startDate": dated.start,
            "endDate": dated.end,
            "inLanguage": [dated.language],
            "instructor": [{"@type": "Person", "name": name} for name in dated.instructors],
        },
    )


def term_set(framework: Framework, site: str, language: str = SOURCE_LANGUAGE) -> Json:
    """Return a framework as a set of terms, which lessons and courses teach."""
    names = CaseNames.of(framework, site)
    return _filled(
        {
            "@context": CONTEXT,
            "@type": "DefinedTermSet",
            "@id": names.document_uri(),
            "name": framework.title_in(language),
            "version": framework.version,
            "inLanguage": language,
            "creator": {"@type": "Organization", "name": framework.creator},
            "hasDefinedTerm": [
                *(_term(u.code, u.title_in(language), names) for u in framework.units),
                *_terms(framework.outcomes, framework, site, language),
            ],
        }
    )


def _head(profile: Profile, url: str) -> Json:
    conforms = {"@type": "CreativeWork", "@id": f"{PROFILES}/{profile}/1.0-RELEASE"}
    return {"@context": CONTEXT, "@type": TYPES[profile], "@id": url, CONFORMS: conforms}


def _common(page: Described, framework: Framework, site: str) -> Json:
    return {
        "name": page.name,
        "description": page.description,
        "keywords": list(page.keywords),
        "url": page.url,
        "identifier": page.url,
        "license": page.license,
        "inLanguage": [page.language],
        "educationalLevel": [f"EQF {level}" for level in page.levels],
        "timeRequired": f"PT{page.hours}H" if page.hours else "",
        "teaches": _terms(page.teaches, framework, site, page.language),
        "workTranslation": [
            {"@type": "CreativeWork", "url": url, "inLanguage": language}
            for language, url in page.translations.items()
        ],
    }


def _terms(ids: Iterable[str], framework: Framework, site: str, language: str) -> list[Json]:
    names = CaseNames.of(framework, site)
    return [_term(code, framework.outcomes[code].statement_in(language), names) for code in ids]


def _term(code: str, name: str, names: CaseNames) -> Json:
    return {
        "@type": "DefinedTerm",
        "@id": names.item_uri(code),
        "name": name,
        "termCode": code,
        "inDefinedTermSet": names.document_uri(),
    }


def _filled(document: Json) -> Json:
    return {key: value for key, value in document.items() if value not in ("", [], None)}


def missing_fields(profile: Profile, document: Mapping[str, Any]) -> list[str]:
    """Return what a profile requires and a document does not hold."""
    return [key for key in REQUIRED[profile] if not document.get(key)]


def _sound(profile: Profile, document: Json) -> Json:
    found = _filled(document)
    missing = missing_fields(profile, found)
    if missing:
        text = _("has no {keys}.").format(keys=", ".join(missing))
        rule = _("{profile} of Bioschemas requires it.").format(profile=profile)
        raise InputError([Problem(document["@id"], text, rule, _("Add it to course.yml."))])
    return found
