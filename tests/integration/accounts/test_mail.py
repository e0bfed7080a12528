"""Invitations by mail, through a real server with TLS."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from bioskills_ports import free_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import Settings, load_settings
from bioskills.base.text import begin_reader
from bioskills.hub.invitation_sheet import Card
from bioskills.hub.mailing import letter, send_all

pytestmark = pytest.mark.integration

ENDS = datetime(2027, 3, 15, 12, tzinfo=UTC)
LINK = "https://hub.example.org/hub/join?key=a-secret"


class Box:
    """A mail server's box; it refuses one address."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("gone"):
            return "550 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost, signed by itself, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "mail.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def serve(box: Box, certificate: Path) -> Iterator[Callable[[str], int]]:
    """Start a server of this kind; return its port."""
    started: list[Controller] = []
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(certificate)

    def check(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=right)

    def start(security: str) -> int:
        port = free_port()
        options: dict[str, Any] = {"hostname": "127.0.0.1", "port": port}
        if security == "tls":
            options |= {"ssl_context": trust, "auth_require_tls": False}
        else:
            options |= {"tls_context": trust, "require_starttls": True}
        server = Controller(box, authenticator=check, auth_required=True, **options)
        server.start()
        started.append(server)
        return port

    yield start
    for server in started:
        server.stop()


def settings(port: int, certificate: Path, folder: Path, **more: str) -> Settings:
    password = folder / "password"
    password.write_text("right\n")
    return Settings.model_validate(
        {
            "site": {"help_contact": "help@example.org"},
            "mail": {
                "host": "localhost", "port": port, "user": "training", "sender": "t@example.org",
                "password_file": str(password), "ca_file": str(certificate), **more,
            },
        }
    )  # fmt: skip


def card(name: str, email: str, display_name: str = "Lea Brandt") -> Card:
    return Card(name, display_name, email, "join", LINK, ENDS)


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH:UserWarning"
)  # it does not see TLS from the first byte
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_each_person_gets_their_own_link_and_each_result_is_told(
    serve: Callable[[str], int], box: Box, certificate: Path, tmp_path: Path, security: str
) -> None:
    found = settings(serve(security), certificate, tmp_path, security=security)
    hostile = "Eve\r\nBcc: everybody@example.org"

    sent = send_all(
        found,
        [
            card("lea", "lea@example.org"),
            card("nobody", ""),
            card("gone", "gone@example.org"),
            card("eve", "eve@example.org", hostile),
        ],
    )

    assert [bool(one.fault) for one in sent] == [False, True, True, False]
    assert "no mail address is known" in sent[1].fault
    assert "nobody of this name" in sent[2].fault
    assert box.mails[0]["To"] == "Lea Brandt <lea@example.org>"
    assert all(mail["Bcc"] is None for mail in box.mails)
    text = box.mails[0].get_content()
    assert LINK in text
    assert "Your user name is lea" in text
    assert "until 15 Mar 2027" in text
    assert "help@example.org" in text


def test_a_mail_is_in_the_language_of_who_gets_it(certificate: Path, tmp_path: Path) -> None:
    begin_reader("en")
    found = settings(25, certificate, tmp_path)

    german = letter(found, replace(card("lea", "lea@example.org"), language="de"))

    assert german["Content-Language"] == "de"
    assert german["Subject"].startswith("Ihre Einladung")
    assert "15. März 2027" in german.get_content()
    assert "Hilfe: help@example.org" in german.get_content()
    assert letter(found, card("max", "max@example.org"))["Content-Language"] == "en"


def test_a_server_with_a_foreign_certificate_gets_no_mail_and_no_password(
    serve: Callable[[str], int], box: Box, certificate: Path, tmp_path: Path
) -> None:
    found = settings(serve("starttls"), certificate, tmp_path, ca_file="")

    sent = send_all(found, [card("lea", "lea@example.org")])

    assert "certificate" in sent[0].fault
    assert box.mails == []


def test_a_wrong_password_and_a_server_that_is_away_are_told_for_each_person(
    serve: Callable[[str], int], certificate: Path, tmp_path: Path
) -> None:
    found = settings(serve("starttls"), certificate, tmp_path)
    away = settings(free_port(), certificate, tmp_path)
    (tmp_path / "password").write_text("wrong")

    for one in (found, away):
        sent = send_all(one, [card("lea", "lea@example.org")])
        assert "localhost did not take it" in sent[0].fault
        assert "wrong" not in sent[0].fault


def test_mail_without_a_server_is_refused_and_in_clear_over_a_network_too(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No mail server is set"):
        send_all(Settings(), [card("lea", "lea@example.org")])
    file = tmp_path / "bioskills.toml"
    file.write_text(
        '[mail]\nhost = "mail.example.org"\nsecurity = "none"\nsender = "t@example.org"\n'
    )
    with pytest.raises(InputError, match="security is none"):
        load_settings(file, {})
    file.write_text('[mail]\nhost = "mail.example.org"\n')
    with pytest.raises(InputError, match="sender must be a mail address"):
        load_settings(file, {})
