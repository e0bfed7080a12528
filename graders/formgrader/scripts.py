"""Let a page run the scripts of its own templates and no other.

Law: each answer has a nonce of its own. It is written into the *sources* of the
templates, before any content is filled in, so no content can carry it; a script,
an event handler or an address that slips through the cleaning is not run. Formulas stay
as they were typed: the script that draws them would come from another site.
"""

import re
from collections.abc import Callable

from jinja2 import BaseLoader, Environment

SCRIPT = re.compile(r"<script(?=[\s>])")
FROM_ELSEWHERE = "{{ mathjax() }}"
HANDLER = re.compile(r'onclick="toggle_name\((true|false)\);"')
LAST_OWN = 'formgrader/static/js/utils.js"></script>'
"""After this script of nbgrader's comes ours, on every page."""

Loaded = tuple[str, str | None, Callable[[], bool] | None]


def policy(nonce: str) -> str:
    """Return the content security policy of a page with this nonce."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


class OwnScripts(BaseLoader):
    """Loads templates and marks their scripts.

    Args:
        inner: Where the templates come from.
        nonce: The template's expression for the nonce.
    """

    def __init__(self, inner: BaseLoader, nonce: str) -> None:
        self._inner = inner
        self._nonce = nonce

    def get_source(self, environment: Environment, template: str) -> Loaded:
        """Return a template's source with the nonce in every script of it."""
        source, name, is_current = self._inner.get_source(environment, template)
        return self._marked(source), name, is_current

    def list_templates(self) -> list[str]:
        """Return the names of all templates."""
        return self._inner.list_templates()

    def _marked(self, source: str) -> str:
        base = "{{ base_url or resources.base_url }}"
        about = 'data-hand-in="{{ resources.hand_in if resources else "" }}"'
        ours = f'{LAST_OWN}\n<script src="{base}/formgrader/ours/pages.js" {about}></script>'
        source = source.replace(LAST_OWN, ours).replace(FROM_ELSEWHERE, "")
        source = HANDLER.sub(r'data-show-names="\1"', source)
        return SCRIPT.sub('<script nonce="{{ ' + self._nonce + ' }}"', source)
