"""Addresses come from the settings, spelled as the hub spells them."""

import pytest
from jupyterhub.utils import subdomain_hook_idna

from bioskills.base.settings import Settings
from bioskills.hub.addresses import (
    campus_local_url,
    campus_public_url,
    hub_public_url,
    origin_of,
    service_host,
)


def settings_of(**network: object) -> Settings:
    return Settings.model_validate({"network": network})


@pytest.mark.parametrize(
    ("network", "hub", "campus"),
    [
        (
            {},
            "http://hub.localhost:8000/hub/",
            "http://campus--service.hub.localhost:8000/services/campus/",
        ),
        (
            {"public_url": "https://hub.example.org/"},
            "https://hub.example.org/hub/",
            "https://campus--service.hub.example.org/services/campus/",
        ),
        (
            {"public_url": "https://hub.example.org:8443"},
            "https://hub.example.org:8443/hub/",
            "https://campus--service.hub.example.org:8443/services/campus/",
        ),
        (
            {"public_url": "https://hub.example.org", "accept_single_origin": True},
            "https://hub.example.org/hub/",
            "https://hub.example.org/services/campus/",
        ),
    ],
)
def test_hub_and_campus_are_reached_here(network: dict[str, object], hub: str, campus: str) -> None:
    settings = settings_of(**network)

    assert (hub_public_url(settings), campus_public_url(settings)) == (hub, campus)


def test_processes_on_this_machine_reach_the_campus_over_loopback() -> None:
    assert campus_local_url(settings_of(campus_port=9)) == "http://127.0.0.1:9/services/campus/"


def test_a_service_is_named_as_the_hub_names_it() -> None:
    name = subdomain_hook_idna("grading board", "hub.localhost", "service")

    assert service_host(settings_of(), "grading board") == f"http://{name}:8000"


def test_an_origin_is_scheme_and_host() -> None:
    assert origin_of("https://h.example:8443/services/campus/?a=b") == "https://h.example:8443"
