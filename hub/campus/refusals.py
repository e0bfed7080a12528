"""Word the refusals of the gate.

Law: each says what happened, what is safe where something could seem lost, and
what to do now. None says more about a person, a token or a run than its reader
may know.
"""

from http import HTTPStatus
from typing import NoReturn

from bioskills.base.tables import Person
from bioskills.base.text import _
from bioskills.base.wire import LAB_SCOPE
from bioskills.hub.campus.site import Refused

HUB_RETRY_S = 5


def _forbidden(error: str, message: str, after: str) -> Refused:
    return Refused(HTTPStatus.FORBIDDEN, error, message, after)


def hub_away() -> Refused:
    """Return the refusal for the moments in which the hub does not answer."""
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "hub_away",
        _(
            "The hub does not answer, so it cannot be checked who you are. Nothing was changed, and what was handed in is safe."
        ),
        _("Try again in a few seconds. If it stays so, tell the people who run this site."),
        retry_after_s=HUB_RETRY_S,
    )


def other_session() -> Refused:
    """Return the refusal of a form with another session's token, or none."""
    return _forbidden(
        "csrf",
        _("This form does not belong to your present session, so nothing was changed."),
        _("Open the page again and repeat the step."),
    )


def two_sessions() -> Refused:
    """Return the refusal of two sessions at once, one of which another page must have set."""
    return Refused(
        HTTPStatus.BAD_REQUEST,
        "two_sessions",
        _(
            "Your browser sent two sign-ins for these pages at once: another page, such as one of a "
            "notebook server, has set one. Neither was used and nothing was changed. "
            "What you handed in or saved is safe."
        ),
        _(
            "Both were taken from your browser. Go to the first page, and see that the name in its "
            "head is yours. If this comes again, tell the people who run this site which notebook "
            "server you had open."
        ),
    )


def nul_in_text() -> Refused:
    """Return the refusal of a form, or an address, with a NUL character."""
    return Refused(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "nul",
        _("There is a character in it that is no text (NUL), so nothing was changed."),
        _("Type it again by hand, instead of pasting it."),
    )


def foreign_form() -> Refused:
    """Return the refusal of a form that another origin sent."""
    return _forbidden(
        "foreign_form",
        _("This form was sent by a page of another address, so nothing was changed."),
        _("Open the page here and repeat the step."),
    )


def token_on_a_page() -> Refused:
    """Return the refusal of a token where a signed-in person is asked for."""
    return _forbidden(
        "token_not_accepted",
        _("Pages are for people who signed in; a token opens none of them."),
        _("Use an address below /api/ or /exchange/."),
    )


def not_a_lab() -> Refused:
    """Return the refusal of a token of the hub that no lab holds."""
    message = _("This token is not one of a learner's server: it lacks the scope {scope}.")
    return _forbidden(
        "not_a_lab", message.format(scope=LAB_SCOPE), _("Call from inside your JupyterLab.")
    )


def no_access(name: str) -> Refused:
    """Return the refusal of who may not use the campus at all."""
    message = _("{name} may not open these pages.").format(name=name)
    return _forbidden("forbidden", message, _("Ask the person who invited you."))


def no_seat() -> Refused:
    """Return the refusal of a person whose last seat ended."""
    return _forbidden(
        "no_seat",
        _("You have no seat in a course at the moment. Your work and your results are kept."),
        _("Ask the person who invited you."),
    )


def teaches_no_more(name: str, cohort: str) -> Refused:
    """Return the refusal of an instructor's token whose seat ended."""
    message = _("{name} is no instructor of {cohort} any more.").format(name=name, cohort=cohort)
    return _forbidden("no_seat", message, _("Ask the person who invited you."))


def known(person: Person | None, name: str) -> Person:
    """Return the person, or refuse who is in no list of people.

    Raises:
        Refused: The hub knows the name, the membership table does not.
    """
    if person is None:
        message = _("{name} is signed in at the hub but is in no list of people here.")
        raise _forbidden(
            "unknown_person", message.format(name=name), _("Ask the person who invited you.")
        )
    return person


def refuse_token(message: str) -> NoReturn:
    """Refuse a token that is missing, unknown or ended.

    Raises:
        Refused: Always.
    """
    after = _("Make a new one, or restart your server from the hub.")
    raise Refused(HTTPStatus.UNAUTHORIZED, "token", message, after)
