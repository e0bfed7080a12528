"""Refuse or name what would let one origin act for another, or be read on the way.

Law (charter 7): every lab has an origin of its own below the public host. One origin for
all is accepted only in so many words, and is then said at start-up and on every page.
Without TLS nothing is reached from elsewhere unsaid. What a front says about a request is
believed only where a front was named, and only from this machine.
"""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.text import _

LOOPBACK = "127.0.0.1"


def refuse_unclear_origin(settings: Settings) -> None:
    """Refuse a host without names below it, and an address that people cannot type.

    Raises:
        SetupError: As above; the text says what to set.
    """
    net, public = settings.network, urlsplit(settings.public_url)
    if not net.host and not net.accept_single_origin:
        raise SetupError(
            _(
                "network.host is empty, so all labs would share one origin and could act for each other. Give a host with wildcard DNS, or set network.accept_single_origin."
            )
        )
    if public.scheme not in {"http", "https"} or not public.hostname or public.path:
        text = _(
            "The public address is {url}. It needs scheme and host and nothing behind them, such as https://hub.example.org. Set network.public_url, or network.host."
        )
        raise SetupError(text.format(url=settings.public_url))
    if is_number(public.hostname) and not net.accept_single_origin:
        text = _(
            "The public address is {host}: a number has no names below it, so all labs would share one origin and could act for each other. Give a host with wildcard DNS, or set network.accept_single_origin."
        )
        raise SetupError(text.format(host=public.hostname))


def is_number(host: str) -> bool:
    """Say whether this host is an address in numbers."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def has_tls(settings: Settings) -> bool:
    """Say whether people reach this installation over https."""
    return settings.public_url.startswith("https://")


def trusted_fronts(settings: Settings) -> list[str]:
    """Return whose word about a browser's address is taken."""
    return [LOOPBACK] if settings.network.public_url else []


def origin_warnings(settings: Settings) -> Iterator[str]:
    """Yield what is weaker than it should be, as sentences."""
    net = settings.network
    if net.accept_single_origin:
        yield _(
            "All labs share one address with the platform (network.accept_single_origin): "
            "a learner's page can act as whoever opens it."
        )
    if settings.is_loopback:
        return
    if has_tls(settings):
        text = _(
            "The proxy is reached without TLS at {address}:{port}, past the front. "
            "Leave out network.address, so that only the front on this machine reaches it."
        )
    else:
        text = _(
            "What people type and read travels without TLS ({address}:{port}): who sees the network "
            "sees passwords and grades. See the how-to page TLS."
        )
    yield text.format(address=net.address, port=net.port)
