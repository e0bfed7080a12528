"""Say who opens which address: the roles' table, its second half.

Law: an address that is not in this table is not served: a test walks every route of
the campus and every handler that we add to the hub, and fails on one that is missing.
Another test asks each address as each role, for the own cohort and another one, and
expects exactly what stands here. The reference page is made from it.

Vocabulary: *people* have a browser and a seat, *programs* have a token. A person opens
an address *in the cohort* it is about, *on the platform*, wherever they *hold* the
role, or as anybody who has *signed in*; who owns a thing opens it as well. A program
is kept to its own run and its owner's things; the grader alone serves all runs.
"""

from collections.abc import Sequence

from bioskills.base.tables import PLATFORM
from bioskills.hub.membership import Seat
from bioskills.hub.role_openings import (
    ADMIN,
    ASSESSOR,
    CERTIFIER,
    FUNDER,
    INSTRUCTOR,
    MANAGER,
    TEACHING,
    Opening,
)
from bioskills.hub.role_openings import api as _api
from bioskills.hub.role_openings import file as _file
from bioskills.hub.role_openings import form as _form
from bioskills.hub.role_openings import page as _page

__all__ = ["ADMIN", "ASSESSOR", "CAMPUS_ROUTES", "CERTIFIER", "FUNDER", "HUB_ROUTES", "INSTRUCTOR",
           "MANAGER", "TEACHING", "Opening", "counts", "opens_to_person", "opens_to_program", "serves"]  # fmt: skip

_ASSIGNMENT = "runs/{run}/assignments/{name}"
_EXCHANGE = "exchange/v1/" + _ASSIGNMENT
_FILES = "exchange/v1/runs/{run}/submissions/{submission_id}/"

FRAME = (
    _file("healthz", "everybody"),
    _file("sign-in", "everybody"),
    _file("oauth_callback", "everybody"),
    _file("static", "everybody"),
    _file("static/hub", "everybody"),
    _file("..", "everybody"),
    _form("sign-out", "signed_in"),
    _page("", "signed_in"),
)
"""``..`` is the prefix without its slash."""

READERS = (
    _page("papers", "everybody"),
    _page("accessibility", "everybody"),
    _file("language", "everybody"),
    _page("papers/first", "signed_in", when="before anything else, once"),
    _form("papers/seen", "signed_in"),
    _page("your-settings", "signed_in"),
    _form("your-settings", "signed_in"),
    _page("looks", "signed_in"),
)
"""What is there for everybody who reads here."""

LEARNING = (
    _page("leave/{cohort}", "cohort", "learner"),
    _form("leave/{cohort}", "cohort", "learner"),
    _page("passport", "signed_in"),
    _page("passport/{pseudonym}", "cohort", *TEACHING),
    _page("feedback/{submission_id}", "cohort", *TEACHING, owner=True, when="once it is returned"),
    _file("feedback/{submission_id}/progress.js", "cohort", *TEACHING, owner=True),
)

TEACHING_PAGES = (
    _page("courses", "held", *TEACHING),
    _page("runs/{run}", "cohort", *TEACHING),
    _page(_ASSIGNMENT, "cohort", *TEACHING),
    _page(_ASSIGNMENT + "/close", "cohort", *INSTRUCTOR, when="while it is open"),
    _page(_ASSIGNMENT + "/return", "cohort", *INSTRUCTOR, when="while results are held"),
    _form(_ASSIGNMENT + "/close", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/open", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/return", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/due", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/extension", "cohort", *INSTRUCTOR),
    _page(_ASSIGNMENT + "/late", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/late", "cohort", *INSTRUCTOR),
    _page(_ASSIGNMENT + "/learners", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/learners", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/learners/undo", "cohort", *INSTRUCTOR),
    _page("runs/{run}/grades", "cohort", *TEACHING),
    _file("runs/{run}/grades.csv", "cohort", *TEACHING),
    _file("runs/{run}/grades.xlsx", "cohort", *TEACHING),
    _page("runs/{run}/learners/{learner}/as-learner", "cohort", *TEACHING),
    _page("cohorts/{cohort}/withdrawals", "cohort", *INSTRUCTOR),
    _page("cohorts/{cohort}/withdrawals/{learner}", "cohort", *INSTRUCTOR),
    _form("cohorts/{cohort}/withdrawals/{learner}", "cohort", *INSTRUCTOR),
    _form("cohorts/{cohort}/withdrawal-undo", "cohort", *INSTRUCTOR),
    _page("cohorts/{cohort}/messages", "cohort", *TEACHING),
    _form("cohorts/{cohort}/messages", "cohort", *INSTRUCTOR),
    _form("cohorts/{cohort}/messages/{message}/end", "cohort", *INSTRUCTOR),
    _form("cohorts/{cohort}/messages/{message}/show-again", "cohort", *INSTRUCTOR),
    _page("course-versions", "held", *INSTRUCTOR),
    _form("course-versions/uploads", "held", *INSTRUCTOR),
    _page("course-versions/uploads/{upload}", "held", *INSTRUCTOR, when="after an upload"),
    _form("course-versions/uploads/{upload}/install", "held", *INSTRUCTOR),
    _page("cohorts/{cohort}", "cohort", *TEACHING),
    _file("cohorts/{cohort}/table.csv", "cohort", *TEACHING),
    _page("runs/{run}/grading", "cohort", *TEACHING),
    _file("runs/{run}/grading/progress.js", "cohort", *TEACHING),
    _page(_ASSIGNMENT + "/regrade", "cohort", *INSTRUCTOR, when="once something changed"),
    _form(_ASSIGNMENT + "/regrade", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/counts", "cohort", *INSTRUCTOR),
    _page(_ASSIGNMENT + "/points", "cohort", *INSTRUCTOR, when="once points were given"),
    _form(_ASSIGNMENT + "/points", "cohort", *INSTRUCTOR),
    _form(_ASSIGNMENT + "/points/leave-out", "cohort", *INSTRUCTOR),
    _page("tokens", "held", *INSTRUCTOR),
    _form("tokens", "held", *INSTRUCTOR),
    _form("tokens/{token_id}/revoke", "held", *INSTRUCTOR),
)

ADMIN_PAGES = (
    _page("admin", "platform", *ADMIN),
    _page("admin/labs", "platform", *ADMIN),
    _form("admin/labs/start", "platform", *ADMIN),
    _form("admin/labs/{pseudonym}/start", "platform", *ADMIN),
    _page("admin/labs/{pseudonym}/stop", "platform", *ADMIN, when="while it runs"),
    _form("admin/labs/{pseudonym}/stop", "platform", *ADMIN),
    _page("admin/jobs", "platform", *ADMIN),
    _form("admin/jobs/{job_id}/again", "platform", *ADMIN),
    _page("admin/storage", "platform", *ADMIN),
    _form("admin/storage", "platform", *ADMIN),
    _page("admin/settings", "platform", *ADMIN),
    _page("admin/doctor", "platform", *ADMIN),
    _form("admin/doctor", "platform", *ADMIN),
    _page("admin/audit", "platform", *ADMIN),
    _file("admin/audit.csv", "platform", *ADMIN),
)

_PEOPLE = "people/{slug}"
_INVITED = "people/{cohort}/invitations"

PEOPLE_PAGES = (
    _page("people", "platform", *ADMIN),
    _page(_PEOPLE, "platform", *ADMIN),
    _file(_PEOPLE + "/people.csv", "platform", *ADMIN),
    _file(_PEOPLE + "/told.js", "platform", *ADMIN),
    _page(_PEOPLE + "/copy", "platform", *ADMIN),
    _form(_PEOPLE + "/copy", "platform", *ADMIN),
    _page(_PEOPLE + "/remove", "platform", *ADMIN),
    _form(_PEOPLE + "/remove", "platform", *ADMIN),
    _page(_PEOPLE + "/undo", "platform", *ADMIN, when="after a change"),
    _form(_PEOPLE + "/undo", "platform", *ADMIN),
    _page("people/upload", "platform", *ADMIN),
    _form("people/upload", "platform", *ADMIN),
    _page("people/upload/{key}", "platform", *ADMIN, when="after an upload"),
    _form("people/upload/{key}/apply", "platform", *ADMIN),
    _file("people/template/people.csv", "platform", *ADMIN),
    _file("people/template/people.xlsx", "platform", *ADMIN),
    _page(_INVITED, "platform", *ADMIN),
    _page(_INVITED + "/{verb}", "platform", *ADMIN, when="while it makes sense for somebody"),
    _form(_INVITED + "/revoke", "platform", *ADMIN),
    _form(_INVITED + "/{verb}", "platform", *ADMIN),
)

DOORS = (
    _page("waiting", "held", *ASSESSOR),
    _page("units", "held", *CERTIFIER),
    _page("units/{cohort}", "cohort", *CERTIFIER),
    _file("units/{cohort}/units.csv", "cohort", *CERTIFIER),
    _file("units/{cohort}/units.xlsx", "cohort", *CERTIFIER),
    _page("figures", "held", *MANAGER),
    _page("figures/{cohort}", "cohort", *MANAGER),
    _file("figures/{cohort}/figures.csv", "cohort", *MANAGER),
    _file("figures/{cohort}/figures.xlsx", "cohort", *MANAGER),
    _page("funded", "held", *FUNDER),
    _file("funded/figures.csv", "held", *FUNDER),
    _file("funded/figures.xlsx", "held", *FUNDER),
)
"""First pages of those who neither learn nor teach, and of who only assesses."""

PROGRAMS = (
    _api("GET", "api/v1/lab/overview", "lab"),
    _api("GET", "api/v1/lab/runs/{run}/materials", "lab"),
    _api("GET", "api/v1/lab/feedback/{submission_id}", "lab"),
    _api("GET", "api/v1/lab/progress/{submission_id}", "lab"),
    _api("GET", "exchange/v1/runs", "lab", "instructor"),
    _api("GET", "exchange/v1/runs/{run}/assignments", "lab", "instructor"),
    _api("GET", _EXCHANGE + "/release", "lab", "instructor"),
    _api("PUT", _EXCHANGE + "/release", "instructor", "grader"),
    _api("GET", _EXCHANGE + "/submissions", "lab", "instructor", "grader"),
    _api("POST", _EXCHANGE + "/submissions", "lab"),
    _api("GET", _FILES + "files", "instructor", "grader"),
    _api("GET", _FILES + "feedback-html", "lab", "instructor"),
    _api("PUT", _FILES + "feedback-html", "instructor", "grader"),
    _api("POST", "api/v1/grader/jobs/claim", "grader"),
    _api("POST", "api/v1/grader/jobs/{job_id}/put-back", "grader"),
    _api("POST", "api/v1/grader/jobs/{job_id}/progress", "grader"),
    _api("POST", "api/v1/grader/jobs/{job_id}/result", "grader"),
    _api("POST", "api/v1/grader/jobs/{job_id}/fail", "grader"),
    _api("GET", "api/v1/grader/courses/{course}/{version}", "grader"),
    _api("GET", "api/v1/formgrader/instructors/{name}", "formgrader"),
    _api("GET", "api/v1/formgrader/assignments/{assignment}/gradings", "formgrader"),
    _api("POST", "api/v1/formgrader/assignments/{assignment}/gradings", "formgrader"),
    _api("POST", "api/v1/formgrader/assignments/{assignment}/judgements", "formgrader"),
    _api("POST", "api/v1/formgrader/looks", "formgrader"),
)

CAMPUS_ROUTES: tuple[Opening, ...] = (
    *FRAME,
    *READERS,
    *LEARNING,
    *TEACHING_PAGES,
    *ADMIN_PAGES,
    *PEOPLE_PAGES,
    *DOORS,
    *PROGRAMS,
)
"""Every address of the campus."""

HUB_ROUTES: tuple[Opening, ...] = (
    _page("formgrader/{run}", "cohort", *TEACHING),
    _file("bioskills/labs", "platform", *ADMIN),
    _file("bioskills/labs/{name}", "platform", *ADMIN),
    _form("bioskills/labs/{name}", "platform", *ADMIN),
    Opening("DELETE", "bioskills/labs/{name}", "platform", ADMIN),
    _api("POST", "bioskills/membership", "campus"),
)
"""Every address that we add to the hub; its own follow from the scopes in `roles.py`."""


def opens_to_person(opening: Opening, seats: Sequence[Seat], cohort: str, *, owns: bool) -> bool:
    """Say whether somebody with a browser opens an address.

    Args:
        opening: The address.
        seats: What the person holds; none: nobody has signed in.
        cohort: The cohort that the address is about.
        owns: Whether the thing it is about is the person's own.
    """
    if opening.reach == "everybody":
        return True
    held = [seat for seat in seats if seat.role in opening.roles and counts(seat)]
    match opening.reach:
        case "signed_in":
            return bool(seats)
        case "held":
            return bool(held) and (owns or not opening.has_others)
        case "platform":
            return any(seat.cohort == PLATFORM for seat in held)
        case "cohort":
            return (opening.owner and owns) or any(serves(seat, cohort) for seat in held)
        case _:
            return False


def counts(seat: Seat) -> bool:
    """Say whether a seat gives anything: an admin is one on the platform alone."""
    return seat.role != "admin" or seat.cohort == PLATFORM


def serves(seat: Seat, cohort: str) -> bool:
    """Say whether a seat counts in a cohort: a manager of the platform is one of every cohort."""
    return seat.cohort == cohort or seat == Seat(PLATFORM, "manager")


def opens_to_program(opening: Opening, program: str, *, own: bool) -> bool:
    """Say whether a token opens an address of its own run or owner, or of others."""
    if opening.reach == "everybody":
        return True
    return program in opening.programs and (own or program == "grader" or not opening.has_others)
