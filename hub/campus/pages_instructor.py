"""Serve the instructor's pages."""

from fastapi import APIRouter

from bioskills.hub.campus.site import Site


def routes(site: Site) -> APIRouter:
    """Return the routes of the instructor's pages."""
    del site
    return APIRouter()
