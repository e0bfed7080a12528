"""Tell the hub that seats changed.

Law: the membership table is right already; telling the hub only makes it act sooner. A
hub that does not hear it acts when it looks at the table the next time.
"""

import threading

from bioskills.hub.campus.site import Site


def membership_changed(site: Site) -> None:
    """Have the hub look at the membership table now; nobody waits for it."""
    threading.Thread(target=site.hub.tell_membership, name="telling the hub", daemon=True).start()
