"""Publish a competence framework in this installation.

Law: the campus owns the shelf and writes it; root reads only what its caller
named. First the folder by one rename, then the audit entry: a second run adds the entry that a crash left out.
"""

import getpass

from sqlalchemy import select

from bioskills.base.places import database_url
from bioskills.base.problems import InputError
from bioskills.base.settings import load_settings
from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, now
from bioskills.competence.framework import BUILT_IN
from bioskills.competence.framework_folder import already_published, fingerprint, publish
from bioskills.competence.framework_reading import Draft
from bioskills.hub.privileges import become
from bioskills.hub.state import ensure_state, owners_of

ACTION = "framework.publish"


def publish_here(draft: Draft) -> bool:
    """Put a checked draft on the installation's shelf; return whether it is new.

    Raises:
        InputError: This version is published with other content.
    """
    found = fingerprint(draft.files)
    if draft.ref in BUILT_IN:
        if BUILT_IN[draft.ref] != found:
            raise InputError([already_published(draft.ref)])
        return False
    settings = load_settings()
    places, owners = ensure_state(settings), owners_of(settings)
    # Asked now: the campus's uid has no name on the machine.
    actor = getpass.getuser()
    become(owners.campus, owners.groups(owners.campus))
    new = publish(draft.files, draft.ref, places.frameworks)
    store = Store(database_url(settings))
    try:
        record(store, draft.ref, found, actor)
    finally:
        store.close()
    return new


def record(store: Store, ref: str, sha256: str, actor: str) -> None:
    """Note in the audit log that a version was published, once."""
    with store.transaction() as session:
        noted = select(AuditEntry.id).where(AuditEntry.action == ACTION, AuditEntry.subject == ref)
        if session.scalar(noted) is None:
            entry = AuditEntry(at=now(), actor=actor, action=ACTION, subject=ref)
            entry.detail = {"sha256": sha256}
            session.add(entry)
