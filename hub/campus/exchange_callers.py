"""Say which program calls the exchange, and what it may do there.

Law (charter, 8): a lab lists, fetches, hands in and reads its own feedback, also
when its owner is an instructor: a learner's notebook that an instructor runs gets
nothing more. Everything else asks for the instructor's named token with the right
verb, or for the grader's.
"""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from bioskills.base.tables import Person
from bioskills.base.text import _
from bioskills.hub.campus.callers import Grader, Instructor, Lab, grader, lab_or_instructor
from bioskills.hub.campus.deliveries import Delivery, find_delivery, find_for_lab
from bioskills.hub.campus.site import Refused, Site, site_of

Verb = Literal["list", "release", "collect", "feedback"]
"""What an instructor's token may be allowed to do."""

Caller = Lab | Instructor | Grader
GRADER_NAME = "grader"


def anyone(request: Request) -> Caller:
    """Return the program that calls, whichever of the three it is."""
    try:
        return grader(request)
    except Refused as refused:
        if refused.status != HTTPStatus.UNAUTHORIZED:
            raise
    return lab_or_instructor(request)


def reader(request: Request) -> Lab | Instructor:
    """Return a lab or an instructor's token."""
    return lab_or_instructor(request)


def hands_in(request: Request) -> Lab:
    """Return the lab that hands in; no other token may do that for a person."""
    caller = anyone(request)
    if isinstance(caller, Lab):
        return caller
    message = _("Work is handed in from a person's own JupyterLab, with no other token.")
    raise Refused(403, "forbidden", message, _("Open the Lab and press Hand in."))


def staff(request: Request) -> Instructor | Grader:
    """Return an instructor's token or the grader; a lab is refused whoever owns it."""
    caller = anyone(request)
    if isinstance(caller, Lab):
        raise _refused_lab()
    return caller


def grader_only(request: Request) -> Grader:
    """Return the grader; everybody else is refused."""
    caller = staff(request)
    if isinstance(caller, Grader):
        return caller
    message = _("Only the grader service of this site may do this.")
    raise Refused(403, "forbidden", message)


Here = Annotated[Site, Depends(site_of)]
Anyone = Annotated[Caller, Depends(anyone)]
Reader = Annotated[Lab | Instructor, Depends(reader)]
HandsIn = Annotated[Lab, Depends(hands_in)]
Staff = Annotated[Instructor | Grader, Depends(staff)]
GraderOnly = Annotated[Grader, Depends(grader_only)]


def delivery_for(session: Session, site: Site, caller: Caller, run: str, verb: Verb) -> Delivery:
    """Return a run that this caller may use for this.

    Raises:
        Refused: No such run for a lab's owner; the token is for another run or lacks the verb.
    """
    if isinstance(caller, Lab):
        return find_for_lab(session, run, caller.name, site.clock())
    found = find_delivery(session, run)
    if isinstance(caller, Instructor):
        _check_token(caller, found, verb)
    return found


def actor_of(session: Session, caller: Instructor | Grader) -> str:
    """Return how the database names who did something: the grader, or a pseudonym."""
    if isinstance(caller, Grader):
        return GRADER_NAME
    return session.get_one(Person, caller.person_id).pseudonym


def _check_token(caller: Instructor, found: Delivery, verb: Verb) -> None:
    after = _("Make a token for it on the campus page Tokens.")
    if caller.run_id != found.run.id:
        message = _("This token is for another run than {run}.").format(run=found.run.slug)
        raise Refused(403, "other_run", message, after)
    if verb not in caller.verbs:
        message = _("This token may do: {verbs}. It may not do: {verb}.")
        message = message.format(verbs=", ".join(sorted(caller.verbs)), verb=verb)
        raise Refused(403, "verb", message, after)


def _refused_lab() -> Refused:
    message = _(
        "A notebook server may list, fetch, hand in and read its owner's feedback, and nothing "
        "else, even when its owner is an instructor."
    )
    after = _("Make a token on the campus page Tokens and set it as BIOSKILLS_TOKEN.")
    return Refused(403, "lab_token", message, after)
