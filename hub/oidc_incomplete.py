"""Say what sign-in at a provider still needs.

Law: everything that is missing at once, before anything starts; loads no provider's code.
"""

from bioskills.base.problems import InputError, Problem
from bioskills.base.settings import Settings
from bioskills.base.text import _

NEEDED = {
    "oidc": ("issuer", "client_id", "client_secret_file"),
    "github": ("client_id", "client_secret_file"),
    "google": ("client_id", "client_secret_file"),
    "azuread": ("tenant", "client_id", "client_secret_file"),
}


def refuse_incomplete(settings: Settings) -> None:
    """Refuse sign-in at a provider of which something is not set.

    Raises:
        InputError: With everything that is missing.
    """
    rules, step = settings.oidc, _("Set it; see docs/how-to/sign-in-with-oidc.md.")
    missing = [key for key in NEEDED[rules.provider] if not getattr(rules, key)]
    what = _("is empty, and sign-in at the provider needs it.")
    if missing:
        raise InputError([Problem(f"oidc.{key}", what, next=step) for key in missing])
