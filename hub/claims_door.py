"""End at the hub what somebody has there whom a provider took back.

Law: the hub's pages and the campus rest on tokens and cookies. They are ended here, and
nothing else of the person is touched; labs end by `membership_sync`.
"""

from typing import Any

from jupyterhub.utils import utcnow

from bioskills.hub.session_ends import LAB_NOTE

OF_THE_HUB = "jupyterhub"
"""Client of tokens that are no sign-in: a lab's own, and those a person made."""


def end_sign_ins(user: Any) -> None:
    """End the tokens by which pages know the person; the lab's own token stays.

    Without it a page that is open would go on: a request with a token cannot be sent to
    the provider, so the hub lets it pass. Ended, not deleted: one may be carrying this request.
    """
    for token in user.orm_user.api_tokens:
        if token.client_id != OF_THE_HUB or not (token.note or "").startswith(LAB_NOTE):
            token.expires_at = utcnow(with_tz=False)
    user.db.commit()
