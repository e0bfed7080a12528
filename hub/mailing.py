"""Send invitations by mail, through the one server that the settings name.

Law: never in clear over a network: TLS is checked, or the server is this machine. A mail
that does not go is said with its reason at its person; the others go all the same. The
password is read from its file when it is needed, and kept nowhere.
"""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid
from pathlib import Path

from bioskills.base.problems import SetupError
from bioskills.base.settings import Mail, Settings
from bioskills.base.text import _, reader, reading_as
from bioskills.hub.campus.wording import day
from bioskills.hub.invitation_sheet import Card
from bioskills.hub.secrets_store import read_secret

TIMEOUT_S = 20


@dataclass(frozen=True)
class Sent:
    """What became of one mail; `fault` is empty where it went."""

    name: str
    address: str
    fault: str = ""


def can_send(settings: Settings) -> bool:
    """Say whether a mail server is set."""
    return bool(settings.mail.host)


def send_all(settings: Settings, cards: Sequence[Card]) -> list[Sent]:
    """Send each person their link, over one connection; return what became of each.

    Raises:
        SetupError: No mail server is set.
    """
    if not can_send(settings):
        raise SetupError(
            _(
                "No mail server is set, so no mail was sent. Set mail.host and mail.sender; the links are issued: issue them again afterwards."
            )
        )
    try:
        with _connected(settings.mail) as server:
            return [_send(server, settings, card) for card in cards]
    except (OSError, smtplib.SMTPException) as error:
        fault = _("not sent: {server} did not take it ({error})").format(
            server=settings.mail.host, error=_words(error)
        )
        return [Sent(card.name, card.email, fault) for card in cards]


def _send(server: smtplib.SMTP, settings: Settings, card: Card) -> Sent:
    if not card.email:
        return Sent(card.name, "", _("not sent: no mail address is known"))
    try:
        server.send_message(letter(settings, card))
    except (OSError, smtplib.SMTPException, ValueError) as error:
        fault = _("not sent to {address} ({error})").format(address=card.email, error=_words(error))
        return Sent(card.name, card.email, fault)
    return Sent(card.name, card.email)


def letter(settings: Settings, card: Card) -> EmailMessage:
    """Return one person's mail, in the language they read: plain text, nothing to load."""
    with reading_as(card.language, card.zone):
        return _letter(settings, card)


def _letter(settings: Settings, card: Card) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = formataddr((_one_line(settings.site.title), settings.mail.sender))
    mail["To"] = formataddr((_one_line(card.display_name), _one_line(card.email)))
    reset = card.kind == "reset"
    subject = _("Your new password for {title}") if reset else _("Your invitation to {title}")
    mail["Subject"] = _one_line(subject.format(title=settings.site.title))
    mail["Date"], mail["Message-ID"] = (
        formatdate(),
        make_msgid(domain=settings.mail.sender.partition("@")[2]),
    )
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(settings, card))
    mail["Content-Language"] = reader().language
    return mail


def _text(settings: Settings, card: Card) -> str:
    body = _(
        "Hello {display_name},\n\n"
        "open this link to choose your password for {title}:\n\n{link}\n\n"
        "Your user name is {name}. The link works once, until {day}, and is for you alone: "
        "do not pass this mail on.\n"
    ).format(
        display_name=card.display_name, title=settings.site.title, link=card.address,
        name=card.name, day=day(card.expires_at, settings.site.time_zone),
    )  # fmt: skip
    contact = settings.site.help_contact
    return body + (_("\nHelp: {contact}\n").format(contact=contact) if contact else "")


@contextmanager
def _connected(mail: Mail) -> Iterator[smtplib.SMTP]:
    trust = ssl.create_default_context(cafile=mail.ca_file or None)
    server = (
        smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=trust)
        if mail.security == "tls"
        else smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
    )
    with server:
        if mail.security == "starttls":
            server.starttls(context=trust)
        if mail.user:
            server.login(mail.user, read_secret(Path(mail.password_file)))
        yield server


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(
            f"{code} {said.decode('utf-8', 'replace')}" for code, said in error.recipients.values()
        )
    return str(error) or type(error).__name__
