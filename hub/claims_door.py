"""End at the hub what somebody has there who must prove again who they are.

Law: the hub's pages and the campus rest on tokens and cookies. They are ended here, and
nothing else of the person is touched; labs end by `membership_sync`.
"""

from typing import Any

from jupyterhub.utils import utcnow

from bioskills.hub.session_ends import is_of_a_lab


def end_sign_ins(user: Any) -> None:
    """End the tokens by which pages know the person; the lab's own token stays.

    Without it a page that is open would go on: a request with a token cannot be sent to
    the provider, so the hub lets it pass. Ended, not deleted: one may be carrying this request.
    """
    for token in user.orm_user.api_tokens:
        if not is_of_a_lab(token):
            token.expires_at = utcnow(with_tz=False)
    user.db.commit()
