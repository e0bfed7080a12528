"""One origin for all labs, and a way without TLS, are said or refused; never silent."""

from typing import Any

import pytest

from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.hub.origins import has_tls, origin_warnings, refuse_unclear_origin, trusted_fronts
from bioskills.hub.start_proxy import proxy_command
from bioskills.hub.warnings_shown import WarningsNow, warnings_of

PUBLIC = "https://hub.example.org"


def settings_with(**network: Any) -> Settings:
    return Settings.model_validate({"network": network})


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"host": ""}, "network.host is empty"),
        ({"host": "", "accept_single_origin": True}, "The public address is http://:8000"),
        ({"host": "", "public_url": PUBLIC}, "network.host is empty"),
        ({"host": "192.0.2.7"}, "a number has no names below it"),
        ({"public_url": "https://192.0.2.7"}, "a number has no names below it"),
        ({"public_url": "https://[2001:db8::1]"}, "a number has no names below it"),
        ({"public_url": "hub.example.org"}, "needs scheme and host"),
        ({"public_url": "https://hub.example.org/training"}, "nothing behind them"),
    ],
)
def test_an_origin_that_labs_would_share_is_refused(network: dict[str, Any], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        refuse_unclear_origin(settings_with(**network))


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"public_url": PUBLIC},
        {"public_url": "https://192.0.2.7", "accept_single_origin": True},
        {"host": "192.0.2.7", "accept_single_origin": True},
        {"host": "", "public_url": PUBLIC, "accept_single_origin": True},
    ],
)
def test_an_origin_of_its_own_or_one_that_was_accepted_is_taken(network: dict[str, Any]) -> None:
    refuse_unclear_origin(settings_with(**network))


def test_a_single_origin_is_said_on_console_and_pages_and_routed_without_hosts() -> None:
    settings = settings_with(public_url=PUBLIC, accept_single_origin=True)
    said = "All labs share one address with the platform"

    assert any(said in text for text in warnings_of(settings))
    assert said in WarningsNow(settings).__html__()
    assert "--host-routing" not in proxy_command(settings)
    assert "--host-routing" in proxy_command(settings_with(public_url=PUBLIC))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({}, []),
        ({"public_url": PUBLIC}, []),
        ({"public_url": PUBLIC, "address": "0.0.0.0"}, ["past the front"]),
        ({"address": "0.0.0.0"}, ["travels without TLS (0.0.0.0:8000)"]),
    ],
)
def test_a_way_without_tls_is_said(network: dict[str, Any], said: list[str]) -> None:
    found = list(origin_warnings(settings_with(**network)))

    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))


def test_a_front_is_believed_only_where_one_was_named() -> None:
    assert trusted_fronts(settings_with()) == []
    assert trusted_fronts(settings_with(public_url=PUBLIC)) == ["127.0.0.1"]
    assert has_tls(settings_with(public_url=PUBLIC))
