"""Say whether the labs of everybody would fit on this machine.

Law: figures of this machine and of the settings, with what they are made of; an estimate
is said to be one.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Membership, Person
from bioskills.base.text import _
from bioskills.hub.campus.site import Site
from bioskills.hub.cohort_people import SOURCE
from bioskills.hub.cohort_wish import Wish
from bioskills.hub.membership import active

LAB_MB = 50
"""Memory of one lab with one open notebook, as measured (docs/how-to/prepare-a-session.md)."""
ROOM = 0.8
"""Share of the machine's memory that labs may fill; the rest is the platform's own."""
MB = 1024 * 1024
HUNDRED = 100


@dataclass(frozen=True)
class Gauge:
    """One bar: what is needed, of what there is."""

    label: str
    needed: str
    there: str
    percent: int


@dataclass(frozen=True)
class Fit:
    """Whether everybody fits."""

    fits: bool
    labs: int
    at_most_mb: int
    gauges: tuple[Gauge, ...]


def fit_of(session: Session, site: Site, wish: Wish) -> Fit:
    """Return what everybody with a seat would need at one time, this list included."""
    labs, limits = site.settings.labs, wish.limits
    count = len(_others(session, site, wish) | {person.name for person in wish.people})
    memory, disk = _memory_mb(), shutil.disk_usage(_existing(site.places.homes)).free // MB
    at_most = limits.get("memory_mb", labs.memory_mb)
    gauges = [_gauge(_("Memory at peak"), count * LAB_MB, memory)]
    home = limits.get("home_mb", labs.home_mb)
    if home:
        label = _("Disk, if all homes fill up")
        gauges.append(_gauge(label, count * home, disk))
    return Fit(count * LAB_MB <= memory * ROOM, count, at_most, tuple(gauges))


def _others(session: Session, site: Site, wish: Wish) -> set[str]:
    chosen = select(Person.name).join(Membership, Membership.person_id == Person.id)
    elsewhere = Membership.source != SOURCE.format(cohort=wish.cohort)
    return set(session.scalars(chosen.where(active(site.clock()), elsewhere)))


def _gauge(label: str, needed: int, there: int) -> Gauge:
    percent = min(HUNDRED, round(HUNDRED * needed / max(there, 1)))
    return Gauge(label, _gb(needed), _gb(there), percent)


def _gb(mb: int) -> str:
    return _("{n} GB").format(n=f"{mb / 1024:,.1f}")


def _memory_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MB


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
