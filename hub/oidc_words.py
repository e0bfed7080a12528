"""Say why a sign-in at the provider opened nothing, to the person and to the log.

Law: each reason has a sentence for the person and what to ask for; an account that is
not known here learns nothing about who is.
"""

from collections.abc import Callable

from bioskills.base.text import _

REASONS: dict[str, Callable[[], tuple[str, str]]] = {
    "unknown": lambda: (
        _("This account belongs to nobody who was invited here."),
        _("Ask to be added with the mail address of this account."),
    ),
    "no_seat": lambda: (
        _("You have no place in a course here now: it may not have begun, or be over."),
        _("Ask for a place, or when the course begins."),
    ),
    "group": lambda: (
        _("Your account is in none of the groups that may sign in here."),
        _("Ask which group you need to be in."),
    ),
    "taken": lambda: (
        _("The person with this address or name signs in with another account."),
        _("Sign in with the account you used before, or ask to have it released."),
    ),
    "several": lambda: (
        _("More than one person here has this address or name."),
        _("Ask to have the addresses of both put right."),
    ),
    "name": lambda: (
        _("No user name can be made of the name of this account."),
        _("Ask to be added under a name by hand."),
    ),
    "other_domain": lambda: (
        _("This account belongs to another organisation."),
        _("Sign in with the account of your organisation."),
    ),
    "too_many_groups": lambda: (
        _("Your account is in so many groups that the provider leaves them all out."),
        _("Ask to have only the groups of this application sent."),
    ),
    "said_no": lambda: (
        _("The provider did not let you sign in, or you cancelled."),
        _("Try again."),
    ),
    "unreadable": lambda: (
        _("The provider's answer could not be used."),
        _("Try again; if it stays so, ask for help: the hub's log says more."),
    ),
    "issuer": lambda: (
        _("The provider is not the one that was set up here."),
        _("Ask for help: the address of the provider must be put right."),
    ),
    "state": lambda: (
        _("This sign-in was begun in another window, or too long ago."),
        _("Begin again."),
    ),
    "away": lambda: (
        _("The provider where you sign in does not answer."),
        _("Try again in a few minutes. What you saved or handed in is kept."),
    ),
}
"""By reason: what happened, and what to do."""
