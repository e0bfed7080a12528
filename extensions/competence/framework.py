"""Load a published competence framework.

Law: a published version never changes, because verdicts name it. Which versions
there are is looked up: those that come with this package, whose fingerprints stand
here, and those that the provider has published in this installation.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from bioskills.base.places import places_of
from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.settings import load_settings
from bioskills.base.text import _
from bioskills.competence.framework_folder import (
    broken_seal,
    fingerprint,
    folder_of,
    read_folder,
    refs_on,
)
from bioskills.competence.framework_model import (
    FLOOR,
    RULE,
    Carry,
    Crosswalk,
    Framework,
    Outcome,
    OutcomeType,
    Role,
    RoleMode,
    Unit,
    default_n,
)
from bioskills.competence.framework_reading import read_draft

__all__ = [
    "FLOOR",
    "RULE",
    "SHOWN",
    "Carry",
    "ChangedFrameworkError",
    "Crosswalk",
    "Framework",
    "Outcome",
    "OutcomeType",
    "Role",
    "RoleMode",
    "Unit",
    "UnknownFrameworkError",
    "default_n",
    "load_framework",
    "published",
    "read_published",
    "shelves",
]

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "BSH@1.0.0": "e4b92717f2c5075c4d8fde1cb90dc390e541f5e1c2eeb29868ddeaf9b02fd1d5",
    }
)
"""Fingerprint of every version that comes with this package."""

SHOWN = "BSH@1.0.0"
"""The framework that panel, passport and cohort table speak of; evidence for others waits unseen."""

BUILT_IN_SHELF = Path(__file__).parent / "frameworks"


class UnknownFrameworkError(InputError, LookupError):
    """No framework of this name and version is published here."""

    def __init__(self, ref: str, known: tuple[str, ...]) -> None:
        self.ref = ref
        near = nearest(ref, known)
        what = _("is no framework that is published here. There are: {known}.")
        step = _("Did you mean {near}?").format(near=near) if near else _("Name one of them.")
        super().__init__([Problem(ref, what.format(known=", ".join(known)), next=step)])


class ChangedFrameworkError(InputError, ValueError):
    """The folder of a published framework is not the one that was published."""

    def __init__(self, ref: str, differences: list[str]) -> None:
        self.ref, self.differences = ref, tuple(differences)
        what = _("is not what was published: {differences}.")
        rule = _("A published version never changes, because verdicts name it.")
        step = _("Bring it back from a backup, or install bioskills-hub again.")
        text = what.format(differences="; ".join(differences))
        super().__init__([Problem(ref, text, rule, step)])


def shelves() -> tuple[Path, ...]:
    """Return the folders that hold published versions: the package's, then the installation's."""
    try:
        return (BUILT_IN_SHELF, places_of(load_settings()).frameworks)
    except InputError:
        # What is wrong with the settings is said by whoever runs with them.
        return (BUILT_IN_SHELF,)


def published() -> tuple[str, ...]:
    """Return the names of all versions that can be loaded, sorted."""
    return tuple(sorted({ref for shelf in shelves() for ref in refs_on(shelf)}))


@lru_cache
def load_framework(ref: str) -> Framework:
    """Return the published framework, for example ``BSH@1.0.0``.

    Raises:
        UnknownFrameworkError: No such name and version.
        ChangedFrameworkError: The folder is not the one that was published.
    """
    if ref in BUILT_IN:
        return read_published(ref, BUILT_IN_SHELF)
    for shelf in shelves():
        if ref in refs_on(shelf):
            return read_published(ref, shelf)
    raise UnknownFrameworkError(ref, published())


def read_published(ref: str, shelf: Path) -> Framework:
    """Return a version from a shelf, after checking that nothing of it was changed.

    Raises:
        ChangedFrameworkError: It was, or its files name another version.
    """
    folder = folder_of(shelf, ref)
    if folder is None:
        raise UnknownFrameworkError(ref, tuple(refs_on(shelf)))
    try:
        files = read_folder(folder)
    except InputError as error:
        raise ChangedFrameworkError(ref, [str(p) for p in error.problems]) from None
    differences = broken_seal(folder, files)
    pinned = BUILT_IN.get(ref, "") if shelf == BUILT_IN_SHELF else ""
    if pinned and not differences and fingerprint(files) != pinned:
        differences = [_("its fingerprint is {found}").format(found=fingerprint(files))]
    if differences:
        raise ChangedFrameworkError(ref, differences)
    framework = read_draft(files).framework()
    if framework.ref != ref:
        raise ChangedFrameworkError(ref, [_("it says {ref}").format(ref=framework.ref)])
    return framework
