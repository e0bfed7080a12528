"""Write the page that people see while hub, campus or lab does not answer.

Law: the proxy serves it from its own folder, so it is there when nothing else is.
"""

import hashlib
from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bioskills.base.settings import Settings
from bioskills.base.text import _, reader, reading_as

HERE = Path(__file__).parent
NAMES = ("503.html", "error.html")
"""What configurable-http-proxy looks for: by status, and for every other status."""


def unavailable_page(settings: Settings) -> str:
    """Return the page, whole and self-contained."""
    style, script = (
        (HERE / "static" / f"unavailable.{kind}").read_text(encoding="utf-8")
        for kind in ("css", "js")
    )
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    with reading_as(settings.site.language):
        return environment.get_template("unavailable.html").render(
            _=_,
            lang=reader().language,
            site=settings.site,
            home=f"{settings.public_url}/hub/home",
            style=style,
            script=script,
            policy=_policy(style, script),
        )


def write_pages(settings: Settings, folder: Path) -> Path:
    """Write the page under each name that the proxy may look for; return the folder."""
    folder.mkdir(mode=0o700, exist_ok=True)
    page = unavailable_page(settings)
    for name in NAMES:
        (folder / name).write_text(page, encoding="utf-8")
    return folder


def _policy(style: str, script: str) -> str:
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; connect-src 'self'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
