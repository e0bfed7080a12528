"""Serve the admin's page of settings: what is in effect, and where each value comes from.

Law: no secret is shown, in no form. Nothing is changed here: a setting is changed in its
file or variable, and holds from the next start.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from bioskills.base.settings_command import SOURCES, Option, options_of, shown
from bioskills.base.text import _
from bioskills.hub.campus.admin_shared import show
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.site import Site


@dataclass(frozen=True)
class SettingRow:
    """One option as the page shows it."""

    name: str
    value: str
    source: str
    is_default: bool
    description: str


def routes(site: Site) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin/settings")
    def settings_page(
        request: Request, caller: Annotated[Browser, Depends(browser)], changed: int = 0
    ) -> Response:
        require_admin(caller)
        tables = sections_of(site, only_changed=bool(changed))
        return show(
            request,
            caller,
            "admin_settings.html",
            "admin/settings",
            tables=tables,
            only_changed=bool(changed),
        )

    return router


def sections_of(site: Site, *, only_changed: bool) -> dict[str, list[SettingRow]]:
    """Return every option by section; only those that somebody set, where that is asked for."""
    sources, found = read_sources(site), dict[str, list[SettingRow]]()
    for option in options_of(site.settings):
        row = _row(option, sources)
        if not (only_changed and row.is_default):
            found.setdefault(option.section, []).append(row)
    return found


def read_sources(site: Site) -> Mapping[str, str]:
    """Return where each value came from, as whoever started everything saw it."""
    try:
        found = json.loads((site.places.campus / SOURCES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _row(option: Option, sources: Mapping[str, str]) -> SettingRow:
    source, about = sources.get(option.name, ""), option.field.description or ""
    return SettingRow(
        name=option.name,
        value=_plain(option),
        source=source or _("default"),
        is_default=not source,
        description=_(about),
    )


def _plain(option: Option) -> str:
    """Return a value without a programmer's marks around it."""
    text = shown(option)
    if not isinstance(option.value, str | tuple | bool) or text != repr(option.value):
        return text
    if isinstance(option.value, tuple):
        return ", ".join(map(str, option.value)) or _("empty")
    return (option.value or _("empty")) if isinstance(option.value, str) else text.lower()
