"""Serve *Courses and versions*: upload a course, read the report and what changed, install it.

Law: whoever is instructor of any cohort may upload; nothing of a course is executed here.
An upload is installed by a second click, after its report was shown.
"""

import re
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import CourseVersion, Person
from bioskills.base.tables_uploads import CourseUpload
from bioskills.base.text import _
from bioskills.hub.campus import course_uploads as uploads
from bioskills.hub.campus.bodies import COURSE_BYTES, MB
from bioskills.hub.campus.callers import (
    Browser,
    browser,
    browser_before_form,
    browser_unsafe,
)
from bioskills.hub.campus.forms import form_of
from bioskills.hub.campus.objects import DiskFullError
from bioskills.hub.campus.pages_shared import forbidden, navigation
from bioskills.hub.campus.site import Refused, Site, render
from bioskills.hub.campus.turns import Turns
from bioskills.hub.campus.wording import add_words

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
Sends = Annotated[Browser, Depends(browser_before_form)]
_REFUSED = 422
SMALL = re.compile(r"\d{1,9}", re.ASCII)
AT_ONCE = 2
"""Uploads that are taken in at one time: each may unpack to a course's whole size on the disk."""


def routes(site: Site) -> APIRouter:
    """Return the routes of the pages."""
    add_words(site.templates)
    turns = Turns(AT_ONCE)
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/course-versions")
    def show(request: Request, caller: Reads, done: str = "") -> Response:
        _require_instructor(caller)
        return _list(request, site, caller, done=done)

    @router.post("/course-versions/uploads")
    async def upload(request: Request, caller: Sends) -> Response:
        _require_instructor(caller)
        # Not by FastAPI: it would read the whole body before it asks who sends it.
        with turns.one():
            async with form_of(request, caller.csrf) as form:
                sent = form.get("course")
                if not isinstance(sent, UploadFile) or not sent.size:
                    what = _("no file was chosen.")
                    fault = Problem(_("the upload"), what, next=_("Choose a ZIP."))
                    return _list(request, site, caller, faults=(fault,))
                return await run_in_threadpool(_take, request, site, caller, sent.file)

    @router.get("/course-versions/uploads/{upload}")
    def report(request: Request, upload: int, caller: Reads) -> Response:
        _require_instructor(caller)
        return _report(request, site, caller, _find(site, upload))

    @router.post("/course-versions/uploads/{upload}/install")
    def install(request: Request, upload: int, caller: Changes) -> Response:
        _require_instructor(caller)
        found = _find(site, upload)
        try:
            uploads.put_in(site, found, caller.pseudonym, site.clock())
        except InputError:
            return _report(request, site, caller, found, status=_REFUSED)
        return RedirectResponse(site.link(f"course-versions?done={found.id}"), 303)

    return router


def _take(request: Request, site: Site, caller: Browser, sent: BinaryIO) -> Response:
    try:
        taken = uploads.take_in(site, sent, caller.pseudonym, site.clock())
    except InputError as error:
        return _list(request, site, caller, faults=error.problems)
    except DiskFullError as error:
        raise Refused(507, "disk_full", str(error), _("Your file stays where it is.")) from error
    if taken.upload is None:
        return _list(request, site, caller, findings=taken.findings)
    return RedirectResponse(site.link(f"course-versions/uploads/{taken.upload}"), 303)


def _require_instructor(caller: Browser) -> None:
    if not caller.holds("instructor"):
        raise forbidden(_("Courses are brought by the instructors of a cohort."))


def _find(site: Site, upload: int) -> CourseUpload:
    with site.store.reading() as session:
        found = uploads.find_upload(session, upload)
    if found is None:
        what = _("There is no upload {n}.").format(n=upload)
        raise Refused(404, "unknown_upload", what, _("Upload the course again."))
    return found


def _list(
    request: Request,
    site: Site,
    caller: Browser,
    *,
    done: str = "",
    faults: tuple[Problem, ...] = (),
    findings: uploads.Findings = (),
) -> HTMLResponse:
    with site.store.reading() as session:
        versions = uploads.versions(session)
        installed = uploads.find_upload(session, int(done)) if SMALL.fullmatch(done) else None
    return render(
        request,
        "versions.html",
        nav=navigation(site, caller, "courses"),
        status=_REFUSED if faults or findings else 200,
        versions=versions,
        installed=installed if installed and installed.installed_at else None,
        faults=faults,
        findings=findings,
        most_mb=COURSE_BYTES // MB,
        now=site.clock(),
        zone=site.settings.site.time_zone,
    )


def _report(
    request: Request, site: Site, caller: Browser, upload: CourseUpload, status: int = 200
) -> HTMLResponse:
    with site.store.reading() as session:
        old = session.get(CourseVersion, upload.compared_with or 0)
        who = session.query(Person.display_name).filter(Person.pseudonym == upload.by).scalar()
    return render(
        request,
        "upload.html",
        nav=navigation(site, caller, "courses"),
        status=status,
        upload=upload,
        title=upload.row["manifest"]["title"],
        old=old,
        by=who or upload.by,
        refused=uploads.refused_before(site, upload),
        now=site.clock(),
        zone=site.settings.site.time_zone,
    )
