"""End at the hub what somebody has there whom a provider took back.

Law: the hub's pages and the campus rest on tokens and cookies; a lab goes on by itself.
All of it is ended here, and nothing else of the person is touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub.utils import utcnow

from bioskills.hub.hub_groups import Told, tell_hub
from bioskills.hub.membership import Seat

OF_THE_HUB = "jupyterhub"
"""Client of tokens that are no sign-in: a lab's own, and those a person made."""


@dataclass(frozen=True)
class HubDoor:
    """Where the hub's API answers, and the file with the token of `provision`."""

    api: str
    token: str

    def __repr__(self) -> str:
        return f"HubDoor({self.api})"


def membership_changed(door: HubDoor, people: Mapping[str, list[Seat]], gone: list[str]) -> Told:
    """Write groups of these people to the hub; end lab and tokens of the gone."""
    return tell_hub(door.api, door.token, people, gone)


def end_sign_ins(user: Any) -> None:
    """End the tokens by which pages know the person; the lab's own token stays.

    Without it a page that is open would go on: a request with a token cannot be sent to
    the provider, so the hub lets it pass. Ended, not deleted: one may be carrying this request.
    """
    for token in user.orm_user.api_tokens:
        if token.client_id != OF_THE_HUB:
            token.expires_at = utcnow(with_tz=False)
    user.db.commit()
