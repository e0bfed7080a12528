"""Say the roles' table of addresses in words, for the reference page.

Law: pure; every word of a row comes from the row.
"""

from bioskills.base.tables import ROLES
from bioskills.hub.role_routes import Opening


def words_of(opening: Opening) -> str:
    """Return who opens an address, for the reference page."""
    roles = ", ".join(role for role in ROLES if role in opening.roles)
    people = {
        "everybody": "everybody, signed in or not",
        "signed_in": "everybody with a seat",
        "held": f"{roles} of any cohort",
        "cohort": f"{roles} of the cohort",
        "platform": f"{roles} of the platform",
        "programs": "",
    }[opening.reach]
    owner = "who owns it" if opening.owner else ""
    tokens = " ".join(f"token:{name}" for name in opening.programs)
    return ", ".join(filter(None, (people, owner, tokens)))
