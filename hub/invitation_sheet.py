"""Make what is given to people: a sheet to print and cut, and a table for mail merge.

Law: the sheet needs no script and loads nothing; a cell that a spreadsheet would take for
a formula is made text. Both hold secrets: whoever makes them says so.
"""

import csv
import hashlib
import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bioskills.base.settings import Settings
from bioskills.base.tables import Person
from bioskills.base.text import _, ngettext, reader, reading_as
from bioskills.hub import invitations
from bioskills.hub.campus.wording import day_tag
from bioskills.hub.formula_guard import guarded

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """One person's invitation, with its secret address."""

    name: str
    display_name: str
    email: str
    kind: str
    address: str
    expires_at: datetime
    language: str = ""
    zone: str = ""

    @property
    def picture(self) -> str:
        """The address as a QR code, as a `data:` address."""
        return str(
            segno.make(self.address, error="m").svg_data_uri(scale=3, border=4, light="#fff")
        )


def card_of(
    settings: Settings, person: Person, kind: str, secret: str, expires_at: datetime
) -> Card:
    """Return the card of a person whose link was just issued."""
    address = invitations.address(settings, secret)
    return Card(
        person.name, person.display_name, person.email or "", kind, address, expires_at,
        person.language or settings.site.language, person.time_zone or "",
    )  # fmt: skip


def sheet(settings: Settings, cards: Sequence[Card]) -> str:
    """Return the printable sheet, whole and self-contained."""
    style = (HERE / "campus" / "static" / "sheet.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["day"] = lambda at: day_tag(at, settings.site.time_zone)
    mark = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    with reading_as(settings.site.language):
        return environment.get_template("invitation_sheet.html").render(
            _=_, ngettext=ngettext, lang=reader().language, site=settings.site,
            public_url=settings.public_url, cards=cards, style=style,
            policy=f"default-src 'none'; img-src data:; style-src 'sha256-{mark}'; base-uri 'none'",
        )  # fmt: skip


def table(cards: Sequence[Card]) -> str:
    """Return the table for mail merge, as CSV."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["name", "display_name", "email", "link", "expires"])
    for card in cards:
        cells = (
            card.name,
            card.display_name,
            card.email,
            card.address,
            card.expires_at.date().isoformat(),
        )
        lines.writerow([guarded(cell) for cell in cells])
    return text.getvalue()
