"""Upload a list of people: check, compare, apply.

Law: nothing is changed by a look. What is applied is what was shown: the list is kept by its
hash, the plan is made again in the transaction that applies it, and refused where it differs.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import CourseVersion, Run
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.forms import form_of
from bioskills.hub.campus.pages_shared import navigation, require_admin
from bioskills.hub.campus.people_diff import AT_ONCE, Diff, diff_of, fingerprint
from bioskills.hub.campus.people_fit import Fit, fit_of
from bioskills.hub.campus.people_shared import (
    REFUSED,
    Changes,
    Desk,
    Reads,
    Sends,
    keep_an_admin,
    told_once,
)
from bioskills.hub.campus.people_staged import Staged, forget, stage, staged
from bioskills.hub.campus.site import Site, render
from bioskills.hub.cohort_book import template_book, template_csv
from bioskills.hub.cohort_change import Change, count_of
from bioskills.hub.cohort_file import KINDS, parse_content
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.cohort_wish import Wish
from bioskills.hub.uids import NoUidLeftError, give_uids

PASTED = "pasted.csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Plan:
    """A list that could be read, and what it would change."""

    wish: Wish
    diff: Diff
    fit: Fit
    versions: dict[str, str]


class _MovedError(Exception):
    """The plan is another one than was shown."""


def routes(desk: Desk) -> APIRouter:
    """Return the pages of an upload."""
    router = APIRouter(default_response_class=HTMLResponse)
    _add_form(router, desk)
    _add_compare(router, desk)
    _add_templates(router)
    return router


def _add_form(router: APIRouter, desk: Desk) -> None:
    @router.get("/people/upload")
    def upload_page(request: Request, caller: Reads, cohort: str = "") -> Response:
        require_admin(caller)
        return _form(request, desk.site, caller, cohort=cohort)

    @router.post("/people/upload")
    async def upload(request: Request, caller: Sends) -> Response:
        require_admin(caller)
        async with form_of(request, caller.csrf) as form:
            name, content = await _sent(form)
            ticked = form.get("platform_roles") == "yes"
        if not content.strip():
            what = _("Nothing was sent: choose a file, or paste a list.")
            problem = Problem("file", what)
            return _form(request, desk.site, caller, problem=problem)
        key = await run_in_threadpool(stage, desk.site, name, content, platform_roles=ticked)
        return RedirectResponse(desk.link("upload", key), 303)


async def _sent(form: FormData) -> tuple[str, bytes]:
    """Return the name and content of what was chosen or pasted."""
    file, pasted = form.get("file"), form.get("pasted")
    if isinstance(file, UploadFile) and file.filename:
        # A browser may send a whole path; it is a word on a page and nothing else.
        return file.filename.replace("\\", "/").rsplit("/", 1)[-1][-100:], await file.read()
    return PASTED, pasted.encode() if isinstance(pasted, str) else b""


def _add_compare(router: APIRouter, desk: Desk) -> None:
    site = desk.site

    @router.get("/people/upload/{key}")
    def compare(
        request: Request, key: str, caller: Reads, *, show: str = "changes", whole: bool = False
    ) -> Response:
        require_admin(caller)
        found = staged(site, key)
        try:
            plan = plan_of(site, caller, found)
        except InputError as error:
            return _faults(request, site, caller, found, error)
        moved = request.query_params.get("moved") == "1"
        rows = plan.diff.of(show)
        return render(
            request,
            "people_compare.html",
            nav=navigation(site, caller, "people"),
            upload=found,
            plan=plan,
            show=show if show in {"all", "joins", "leaves", "changed", "same"} else "changes",
            rows=rows if whole else rows[:AT_ONCE],
            hidden=0 if whole else max(0, len(rows) - AT_ONCE),
            moved=moved,
            now=site.clock(),
        )

    @router.post("/people/upload/{key}/apply")
    async def apply(request: Request, key: str, caller: Changes) -> Response:
        require_admin(caller)
        sent = (await request.form()).get("plan", "")
        found = staged(site, key)
        shown = sent if isinstance(sent, str) else ""
        return await run_in_threadpool(_apply, request, desk, caller, found, shown)


def plan_of(site: Site, caller: Browser, found: Staged) -> Plan:
    """Return what a list would change; changes nothing.

    Raises:
        InputError: With every fault of the list.
    """
    wish = parse_content(found.content, found.name, site.settings.site.time_zone)
    with site.store.transaction() as session:
        changes = _changes(session, site, caller, found, wish)
        versions = _versions(session, wish)
        session.rollback()
    with site.store.reading() as session:
        fit = fit_of(session, site, wish)
    return Plan(wish, diff_of(wish, changes), fit, versions)


def _versions(session: Session, wish: Wish) -> dict[str, str]:
    """Return the course version that each run of the list delivers, or would."""
    chosen = select(Run.slug, CourseVersion.version).join(
        CourseVersion, CourseVersion.id == Run.course_version_id
    )
    rows = session.execute(chosen.where(Run.slug.in_([run.slug for run in wish.runs])))
    return {row.slug: row.version for row in rows}


def _changes(
    session: Session, site: Site, caller: Browser, found: Staged, wish: Wish
) -> list[Change]:
    changes = apply_wish(
        session,
        wish,
        actor=caller.pseudonym,
        now=site.clock(),
        platform_roles=found.platform_roles,
    )
    keep_an_admin(session, site, caller)
    return changes


def _apply(request: Request, desk: Desk, caller: Browser, found: Staged, shown: str) -> Response:
    site = desk.site
    try:
        wish = parse_content(found.content, found.name, site.settings.site.time_zone)
        with site.store.transaction() as session:
            changes = _changes(session, site, caller, found, wish)
            _refuse_moved(wish, changes, shown)
    except InputError as error:
        return _faults(request, site, caller, found, error)
    except _MovedError:
        return RedirectResponse(desk.link("upload", f"{found.key}?moved=1"), 303)
    forget(site, found.key)
    site.bell.ring()
    desk.telling.begin()
    done = "applied" if _give_uids(site) else "applied_short"
    query = urlencode({"done": done, "n": count_of(changes)})
    return RedirectResponse(f"{desk.link(wish.cohort)}?{query}", 303)


def _give_uids(site: Site) -> bool:
    """Give everybody the uid of their lab; say whether there were enough."""
    try:
        give_uids(site.store, site.settings.labs.first_uid, site.settings.labs.uid_count)
    except NoUidLeftError:
        # What was applied stays applied; each lab asks again when it starts.
        return False
    return True


def _refuse_moved(wish: Wish, changes: list[Change], shown: str) -> None:
    if fingerprint(wish, changes) != shown:
        raise _MovedError


def _form(
    request: Request,
    site: Site,
    caller: Browser,
    *,
    cohort: str = "",
    problem: Problem | None = None,
) -> HTMLResponse:
    return render(
        request,
        "people_upload.html",
        nav=navigation(site, caller, "people"),
        status=REFUSED if problem else 200,
        cohort=cohort,
        problem=problem,
        kinds=KINDS,
    )


def _faults(
    request: Request, site: Site, caller: Browser, found: Staged, error: InputError
) -> HTMLResponse:
    return render(
        request,
        "people_faults.html",
        nav=navigation(site, caller, "people"),
        status=REFUSED,
        upload=found,
        faults=told_once(error.problems),
        kinds=KINDS,
        now=site.clock(),
    )


def _add_templates(router: APIRouter) -> None:
    @router.get("/people/template/people.csv")
    def csv_template(caller: Reads) -> Response:
        require_admin(caller)
        return _download(template_csv().encode(), "text/csv; charset=utf-8", "people.csv")

    @router.get("/people/template/people.xlsx")
    def book_template(caller: Reads) -> Response:
        require_admin(caller)
        return _download(template_book(), XLSX, "people.xlsx")


def _download(content: bytes, kind: str, name: str) -> Response:
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=head)
