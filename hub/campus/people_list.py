"""Give the list of a cohort's people as a file that can be mended and uploaded again.

Law: uploaded unchanged, it changes nothing; no cell can become a formula; who took the list stands in the audit log.
"""

from collections.abc import Iterable

from fastapi.responses import Response

from bioskills.base.tables import AuditEntry
from bioskills.hub.campus import spreadsheets
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.people_shared import cohort_of
from bioskills.hub.campus.site import Site
from bioskills.hub.cohort_limits import LAB_LIMITS
from bioskills.hub.cohort_listed import listed_people
from bioskills.hub.cohort_view import CohortLine, PersonLine

COLUMNS = (
    *("cohort", "title", "seats", "environment", "name", "display_name", "email", "roles"),
    *("tags", "from", "to", "pseudonym", *LAB_LIMITS),
)


def download_of(site: Site, caller: Browser, slug: str) -> Response:
    """Return the list as CSV for a spreadsheet program, and note who took it."""
    with site.store.transaction() as session:
        line = cohort_of(session, slug, site)
        people = listed_people(session, slug, site.clock())
        entry = AuditEntry(at=site.clock(), actor=caller.pseudonym, action="exported people")
        entry.subject, entry.detail = slug, {"people": len(people)}
        session.add(entry)
    head = {"Content-Disposition": f'attachment; filename="people-{line.slug}.csv"'}
    return Response(as_csv(line, people), media_type="text/csv; charset=utf-8", headers=head)


def as_csv(line: CohortLine, people: Iterable[PersonLine]) -> str:
    """Return the people of a cohort as CSV."""
    return spreadsheets.as_csv(COLUMNS, (_cells(line, person) for person in people))


def _cells(line: CohortLine, person: PersonLine) -> list[str]:
    return [
        line.slug,
        line.title,
        str(line.seats or ""),
        line.environment,
        person.name,
        person.display_name,
        person.email,
        " ".join(person.roles),
        " ".join(person.tags),
        person.since.isoformat() if person.since else "",
        person.until.isoformat() if person.until else "",
        person.pseudonym,
        *(str(line.limits.get(name, "")) for name in LAB_LIMITS),
    ]
