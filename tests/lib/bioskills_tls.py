"""A certificate authority, certificates and a front, made and started by the test.

The front's configuration is what docs/how-to/tls.md prints, with ports, paths and names
filled in; nothing else of it is changed.
"""

import os
import re
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from bioskills_tests import ROOT
from bioskills_waiting import eventually
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PAGE = ROOT / "docs" / "how-to" / "tls.md"
HOST = "hub.localhost"


@dataclass
class Front:
    """A front that is running.

    Attributes:
        folder: Where it keeps its configuration and logs.
        port: Its https port; `plain` is its http port.
        ca: The authority's certificate.
    """

    kind: str
    folder: Path
    port: int
    plain: int
    ca: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def wrote(self) -> str:
        """Return all that it has written into any log."""
        logs = [p for p in self.folder.rglob("*") if p.is_file() and p.suffix in {".log", ".out"}]
        return "\n".join(path.read_text(errors="replace") for path in logs)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def block_of(kind: str) -> str:
    """Return the configuration that the page prints for this front."""
    found = re.search(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def filled(text: str, changes: dict[str, str]) -> str:
    """Replace every part; each must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def start_front(kind: str, folder: Path, ports: tuple[int, int], upstream: int) -> Front:
    """Start the front of the page on these ports (https, http)."""
    ca = make_certificates(folder)
    changes = {
        "hub.example.org": HOST,
        "/etc/ssl/bioskills": str(folder),
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        f"/var/log/{kind}": str(folder),
    }
    command, own = {"nginx": nginx, "caddy": caddy}[kind](folder, ports)
    main = folder / "front.conf"
    main.write_text(filled(block_of(kind), changes | own))
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "front.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environ)
    front = Front(kind, folder, *ports, ca, process)
    assert eventually(lambda: process.poll() is not None or _speaks(front)), front.wrote()
    assert process.poll() is None, front.wrote()
    return front


def nginx(folder: Path, ports: tuple[int, int]) -> tuple[list[str], dict[str, str]]:
    """Wrap the page's file as Debian's nginx.conf does."""
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; daemon off; error_log {folder}/main.log; events {{}}\n"
        f"http {{ {temporary} include {folder}/front.conf; }}\n"
    )
    own = {
        "listen 443": f"listen 127.0.0.1:{ports[0]}",
        "listen 80": f"listen 127.0.0.1:{ports[1]}",
    }
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    return [str(program), "-e", f"{folder}/main.log", "-c", f"{folder}/nginx.conf"], own


def caddy(folder: Path, ports: tuple[int, int]) -> tuple[list[str], dict[str, str]]:
    own = {"https_port 443": f"https_port {ports[0]}", "http_port 80": f"http_port {ports[1]}"}
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/front.conf"]
    return command, own


def _speaks(front: Front) -> bool:
    url = f"https://127.0.0.1:{front.port}/hub/health"
    with httpx.Client(verify=front.context(), trust_env=False) as client:
        asked = client.build_request("GET", url, headers={"Host": f"{HOST}:{front.port}"})
        asked.extensions["sni_hostname"] = HOST
        return client.send(asked).status_code < 600


def make_certificates(folder: Path) -> Path:
    """Write a wildcard certificate and its key; return the authority's certificate."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _n in range(2))
    root_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Tests", HOST)
    )
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    root = (
        _certificate(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(f"*.{HOST}")])
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    own = (
        _certificate(name, root_name, key.public_key())
        .add_extension(names, critical=False)
        .add_extension(issued_by, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(own.public_bytes(pem))
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    (folder / "key.pem").chmod(0o600)
    return folder / "ca.pem"


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


class Verified(httpx.HTTPTransport):
    """Bring every name to this machine, and hold its certificate against that name."""

    def __init__(self, front: Front) -> None:
        super().__init__(verify=front.context())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return super().handle_request(sent)
