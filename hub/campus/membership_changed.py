"""Tell the hub that seats changed.

Law: the membership table is right already; telling the hub only makes it act sooner. A
hub that does not hear it acts when it asks the table the next time.
"""

from bioskills.hub.campus.site import Site


def membership_changed(site: Site) -> None:
    """Let the hub look at the membership table now."""
    site.bell.ring()
