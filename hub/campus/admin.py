"""Serve the admin's first page, and gather the routes of the whole door.

Law: what needs a person comes first, each with the page where it is done; then figures.
A number that is not known is said to be not known, never left out.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.tables import Cohort, Membership, Person, Run
from bioskills.base.text import _, ngettext
from bioskills.hub.campus import (
    admin_audit,
    admin_doctor,
    admin_jobs,
    admin_labs,
    admin_settings,
    admin_storage,
)
from bioskills.hub.campus.admin_lab_rows import Listed
from bioskills.hub.campus.admin_shared import show, size
from bioskills.hub.campus.admin_storage import Disk
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.job_board import Queue, read_queue
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.site import Site
from bioskills.hub.campus.wording import add_words, distance
from bioskills.hub.membership import active
from bioskills.hub.root_reports import Report, read_report

LONG_QUEUE_S = 600


@dataclass(frozen=True)
class Need:
    """One thing that needs a person: a sentence, and where it is done."""

    level: str
    sentence: str
    path: str
    label: str


@dataclass(frozen=True)
class Counts:
    """How many people, cohorts and runs there are now."""

    people: int
    cohorts: int
    runs: int


@dataclass(frozen=True)
class Facts:
    """What the first page is made from."""

    report: Report | None
    listed: Listed
    disk: Disk
    queue: Queue
    failed_jobs: int
    counts: Counts


def routes(site: Site) -> APIRouter:
    """Return the routes of the admin's door."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin")
    def overview(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        require_admin(caller)
        facts = _facts(site, request)
        return show(
            request,
            caller,
            "admin.html",
            "admin",
            needs=needs_of(facts, site),
            facts=facts,
            checked=distance(facts.report.at, site.clock()) if facts.report else "",
        )

    for part in (admin_labs, admin_jobs, admin_storage, admin_settings, admin_doctor, admin_audit):
        router.include_router(part.routes(site))
    return router


def _facts(site: Site, request: Request) -> Facts:
    listed = admin_labs.read_labs(request)
    with site.store.reading() as session:
        return Facts(
            report=read_report(site.places),
            listed=listed,
            disk=admin_storage.disk_of(site),
            queue=read_queue(session, site.clock()),
            failed_jobs=admin_jobs.open_failures(session),
            counts=_counts(session, site),
        )


def _counts(session: Session, site: Site) -> Counts:
    now = site.clock()
    seated = select(func.count(func.distinct(Membership.person_id))).where(active(now))
    running = select(func.count(Run.id)).where(Run.opens_at <= now, Run.closes_at > now)
    cohorts = (
        select(func.count(func.distinct(Cohort.id)))
        .join(Membership, Membership.cohort_id == Cohort.id)
        .join(Person, Person.id == Membership.person_id)
        .where(active(now))
    )
    people, groups, runs = (session.scalar(query) or 0 for query in (seated, cohorts, running))
    return Counts(people, groups, runs)


def needs_of(facts: Facts, site: Site) -> list[Need]:
    """Return what needs a person, the worst first."""
    found = [
        *_of_doctor(facts.report),
        *_of_disk(facts.disk),
        *_of_jobs(facts, site),
        *_of_labs(facts.listed),
    ]
    return sorted(found, key=lambda need: need.level != "fault")


def _of_doctor(report: Report | None) -> list[Need]:
    if report is None:
        text = _("The doctor has not looked since this installation was made.")
        return [Need("warning", text, "admin/doctor", _("Ask the doctor"))]
    found = []
    for level in ("fault", "warning"):
        names = [check.name for check in report.checks if check.level == level]
        if names:
            text = _doctor_words(level, len(names)).format(n=len(names), names=", ".join(names))
            found.append(Need(level, text, "admin/doctor", _("Read what to do")))
    return found


def _doctor_words(level: str, n: int) -> str:
    if level == "fault":
        return ngettext(
            "The doctor found {n} fault: {names}.", "The doctor found {n} faults: {names}.", n
        )
    return ngettext("The doctor warns of: {names}.", "The doctor warns of: {names}.", n)


def _of_disk(disk: Disk) -> list[Need]:
    if not disk.short:
        return []
    text = _("{free} of disk are left: hand-ins and labs stop when it is full.")
    level = "fault" if disk.too_short else "warning"
    return [Need(level, text.format(free=size(disk.free)), "admin/storage", _("See what is large"))]


def _of_jobs(facts: Facts, site: Site) -> list[Need]:
    found = []
    if facts.queue.silent_since is not None:
        when = distance(facts.queue.silent_since, site.clock())
        text = _("The grader does not answer; the oldest work came {when}. Nothing is lost.")
        step = _("Ask the doctor")
        found.append(Need("fault", text.format(when=when), "admin/doctor", step))
    if facts.failed_jobs:
        n = facts.failed_jobs
        text = ngettext("{n} grading job failed.", "{n} grading jobs failed.", n).format(n=n)
        found.append(Need("fault", text, "admin/jobs", _("Read why")))
    seconds = facts.queue.seconds_to(facts.queue.waiting)
    if seconds is not None and seconds > LONG_QUEUE_S:
        n = len(facts.queue.waiting)
        text = ngettext("{n} hand-in waits longer.", "{n} hand-ins wait longer than usual.", n)
        found.append(Need("warning", text.format(n=n), "admin/jobs", _("See the queue")))
    return found


def _of_labs(listed: Listed) -> list[Need]:
    failed = listed.counts.get("failed", 0)
    if not failed:
        return []
    text = ngettext("{n} lab did not start.", "{n} labs did not start.", failed)
    return [Need("fault", text.format(n=failed), "admin/labs", _("Read why"))]
