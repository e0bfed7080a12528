"""Rules about the manifest, and about files that must agree with it.

Law: pure; a rule that needs the manifest is silent when the manifest is wrong,
because that is reported already.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from bioskills.base.text import _
from bioskills.courses.faults import Fault
from bioskills.courses.manifest import MANIFEST, Assignment, Lesson, Manifest
from bioskills.courses.reading import Course

NEEDED_FILES = ("README.md", "CHANGELOG.md", "LICENSE", "competence.yaml", "nbgrader_config.py")
_KNOWN_FILES = {*NEEDED_FILES, MANIFEST, "data.yml", "skips.yml"}
_KNOWN_FOLDERS = {
    "lessons",
    "data",
    "img",
    "assignments",
    "grading",
    "variants",
    "instructor",
    "sessions",
}

# Verbs whose doing can be seen. "know", "understand", "learn" and "be aware" cannot.
_UNSEEN_VERBS = {"know", "understand", "learn", "appreciate", "be", "become", "familiarise", "see"}
_FEWEST_OBJECTIVES, _MOST_OBJECTIVES = 2, 5
_LESSON_SHARE_OF_HOURS = 0.20


def readable(course: Course) -> Iterable[Fault]:
    """Every file has its form."""
    return course.faults


def files_present(course: Course) -> Iterator[Fault]:
    """The files every course has are there, and nothing that is not part of a course."""
    for path in NEEDED_FILES:
        if path not in course.files:
            yield Fault(path, "", "", _("the file is missing"))
    for path in sorted(course.files):
        top, _slash, rest = path.partition("/")
        if top not in (_KNOWN_FOLDERS if rest else _KNOWN_FILES):
            message = _("the file is not part of a course")
            yield Fault(path, "", "", message, _("Move it to instructor/ or remove it."))


def ids_unique(course: Course) -> Iterator[Fault]:
    """No id of a lesson, assignment or unit stands twice."""
    if course.manifest is None:
        return
    named = [part.id for part in _parts(course.manifest)]
    codes = [unit.code for unit in course.manifest.units]
    for name, count in Counter([*named, *codes]).items():
        if count > 1:
            message = _("the id {name} stands {n} times").format(name=name, n=count)
            yield Fault(MANIFEST, "id", name, message)


def files_agree(course: Course) -> Iterator[Fault]:
    """Every lesson and assignment names its notebook, and every notebook is named."""
    if course.manifest is None:
        return
    named = {part.file: part.id for part in _parts(course.manifest)}
    for path, part_id in named.items():
        if path not in course.files:
            message = _("there is no file {path}").format(path=path)
            yield Fault(MANIFEST, f"{part_id}.file", path, message)
    for path in sorted(course.notebooks.keys() - named.keys()):
        yield Fault(path, "", "", _("no lesson or assignment of course.yml names this file"))
    yield from _misplaced(course.manifest)
    yield from used_data_present(course)


def _misplaced(manifest: Manifest) -> Iterator[Fault]:
    for assignment in manifest.assignments:
        expected = f"assignments/{assignment.id}/{assignment.id}.ipynb"
        if assignment.file != expected:
            message = _("{file} should be {expected}")
            text = message.format(file=assignment.file, expected=expected)
            yield Fault(MANIFEST, f"{assignment.id}.file", assignment.file, text)


def used_data_present(course: Course) -> Iterator[Fault]:
    """Every file named under uses_data is there."""
    if course.manifest is None:
        return
    for user in _parts(course.manifest):
        for path in user.uses_data:
            if not {path, f"data/{path}", f"assignments/{user.id}/{path}"} & set(course.files):
                message = _("there is no data file {path}").format(path=path)
                yield Fault(MANIFEST, f"{user.id}.uses_data", path, message)


def _parts(manifest: Manifest) -> list[Lesson | Assignment]:
    return [*manifest.lessons, *manifest.assignments]


def lessons_described(course: Course) -> Iterator[Fault]:
    """Every lesson asks one question, and says what the learner can do afterwards."""
    for lesson in course.manifest.lessons if course.manifest else ():
        yield from _lesson_faults(lesson)


def _lesson_faults(lesson: Lesson) -> Iterator[Fault]:
    if not lesson.question.endswith("?"):
        message = _("the question does not end with a question mark")
        yield Fault(MANIFEST, f"{lesson.id}.question", lesson.question, message)
    if not _FEWEST_OBJECTIVES <= len(lesson.objectives) <= _MOST_OBJECTIVES:
        message = _("{n} objectives; a lesson has 2 to 5").format(n=len(lesson.objectives))
        yield Fault(MANIFEST, f"{lesson.id}.objectives", "", message)
    if not lesson.key_points:
        yield Fault(MANIFEST, f"{lesson.id}.key_points", "", _("the lesson has no key points"))
    for objective in lesson.objectives:
        if objective.split()[0].lower() in _UNSEEN_VERBS:
            message = _("nobody can see whether a learner can do this: {objective}")
            yield Fault(
                MANIFEST,
                f"{lesson.id}.objectives",
                objective,
                message.format(objective=objective),
            )


def minutes_fit_hours(course: Course) -> Iterator[Fault]:
    """The minutes of lessons and assignments fit into the hours of the course."""
    if course.manifest is None:
        return
    hours = course.manifest.hours
    taught = sum(lesson.minutes for lesson in course.manifest.lessons) / 60
    planned = hours.live + hours.self_study
    if abs(taught - planned) > _LESSON_SHARE_OF_HOURS * max(planned, taught):
        message = _("lessons take {taught:.1f} h, but live and self-study hours are {planned:.1f}")
        yield Fault(MANIFEST, "hours", "", message.format(taught=taught, planned=planned))


def unit_hours_fit(course: Course) -> Iterator[Fault]:
    """The hours given to units are not more than the hours of the course."""
    if course.manifest is None:
        return
    given = sum(unit.hours for unit in course.manifest.units)
    total = course.manifest.hours.total
    if given > total:
        message = _("units are given {given:g} h, but the course has {total:g} h in all")
        yield Fault(MANIFEST, "units.hours", "", message.format(given=given, total=total))


def outcomes_known(course: Course) -> Iterator[Fault]:
    """Lessons name only outcomes that the course's units list."""
    if course.manifest is None:
        return
    for unit in course.manifest.units:
        for outcome in unit.outcomes:
            if not outcome.startswith(f"{unit.code}-"):
                message = _("{outcome} does not belong to {unit}")
                text = message.format(outcome=outcome, unit=unit.code)
                yield Fault(MANIFEST, f"units.{unit.code}.outcomes", outcome, text)
    for lesson in course.manifest.lessons:
        for outcome in lesson.outcomes:
            if outcome not in course.manifest.outcomes:
                message = _("{outcome} is in no unit of this course").format(outcome=outcome)
                yield Fault(MANIFEST, f"{lesson.id}.outcomes", outcome, message)


def unit_hours_and_outcomes(course: Course) -> Iterator[Fault]:
    """Hours and outcomes of units fit the course."""
    yield from unit_hours_fit(course)
    yield from outcomes_known(course)
