"""What can go wrong, as sentences.

Law: a refusal says what happened, what is safe and what to do; it never
carries a traceback or a secret.
"""

from http import HTTPStatus

from bioskills_lab.words import _


class Refused(Exception):  # noqa: N818  # it is an answer, not an accident
    """An answer other than success, made for a person.

    Args:
        status: HTTP status.
        error: A stable word for programs.
        message: What happened and the rule, as sentences.
        next_step: What to do now.
        details: More fields of the answer.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        next_step: str = "",
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.next_step = next_step
        self.details = details or {}

    def as_json(self) -> dict[str, object]:
        """Give the body of the answer."""
        body: dict[str, object] = {"error": self.error, "message": self.message}
        return {**self.details, **body, "next": self.next_step}


def no_answer(status: int = HTTPStatus.BAD_GATEWAY) -> Refused:
    """Say that the campus cannot be reached."""
    return Refused(
        status,
        "no_answer",
        _("The campus did not answer. Your work is saved here, nothing is lost."),
        _("Try again in a minute."),
    )


def strange_answer(what: str) -> Refused:
    """Say that the campus answered something that this package does not understand."""
    return Refused(
        HTTPStatus.BAD_GATEWAY,
        "strange_answer",
        _("The campus sent an answer that cannot be used: {what}. Your work is saved here.").format(
            what=what
        ),
        _("Tell your instructor; this is not a fault of yours."),
    )


def bad_request(message: str) -> Refused:
    """Say that a request is not well formed."""
    return Refused(
        HTTPStatus.BAD_REQUEST, "bad_request", message, _("Reload the page and try again.")
    )
