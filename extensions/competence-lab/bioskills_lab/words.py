"""Speak the language the reader has chosen in JupyterLab.

Law: every sentence a person can read passes through `_`; values are
filled after it, never before.
"""

from jupyterlab_server.translation_utils import translator

DOMAIN = "bioskills_lab"


def _(text: str) -> str:
    """Give the text in the reader's language (looked up at each call: it can change)."""
    return str(translator.load(DOMAIN).gettext(text))
