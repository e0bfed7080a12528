"""Checkpoints: what the ledger was at one time, signed, so that it can be held against it later.

Law: a checkpoint is a JWS (EdDSA with Ed25519) over number, hash and count of the newest
record and the time, nothing else; nobody is named. Only that algorithm is taken, and only a
key that the reader gave. A key is known by its RFC 7638 thumbprint.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
import rfc8785
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bioskills.base.text import _
from bioskills.competence.ledger import Entry, in_text

ALGORITHM = "EdDSA"
TYPE = "ledger-checkpoint+jws"
NEXT_KEY = "ledger-key+jws"
LOSS = "ledger-loss+jws"
Jwk = Mapping[str, Any]


class BadCheckpointError(ValueError):
    """It is no checkpoint, or not signed by a known key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the ledger was at one time.

    Attributes:
        seq: Number of the newest record; 0 where there was none.
        head: Its hash.
        count: How many records there were.
        at: When.
        kid: Thumbprint of the key that signed.
        jws: The signed text.
    """

    seq: int
    head: str
    count: int
    at: datetime
    kid: str
    jws: str


@dataclass(frozen=True, slots=True)
class Loss:
    """That somebody accepted that records after this one were lost, and why.

    Attributes:
        seq: The last record that a checkpoint shows to be the one it was; 0 where none does.
        at: When it was accepted.
        reason: In words of who accepted it; no name of a learner.
    """

    seq: int
    at: datetime
    reason: str


def new_key() -> str:
    """Return a new private key as PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_jwk(pem: str) -> dict[str, str]:
    """Return the public half of a private key as a JWK with its thumbprint."""
    raw = _private(pem).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {**_bare(_b64(raw)), "kid": thumbprint(_b64(raw)), "alg": ALGORITHM, "use": "sig"}


def thumbprint(x: str) -> str:
    """Return the RFC 7638 thumbprint of an Ed25519 key."""
    return _b64(hashlib.sha256(rfc8785.dumps(_bare(x))).digest())


def sign(pem: str, seq: int, head: str, count: int, at: datetime) -> Checkpoint:
    """Return a signed checkpoint."""
    kid = public_jwk(pem)["kid"]
    said = {"seq": seq, "head": head, "count": count, "at": in_text(at)}
    return Checkpoint(seq, head, count, at, kid, _sign(pem, kid, TYPE, said))


def sign_next_key(pem: str, jwk: Jwk) -> str:
    """Return the word of an old key for the new one."""
    said = {name: jwk[name] for name in ("kty", "crv", "x", "kid")}
    return _sign(pem, public_jwk(pem)["kid"], NEXT_KEY, said)


def read(jws: str, keys: Sequence[Jwk]) -> Checkpoint:
    """Return what a signed checkpoint says.

    Args:
        jws: The signed text.
        keys: Public keys that may have signed it.

    Raises:
        BadCheckpointError: It is no checkpoint, or none of these keys signed it.
    """
    kid, said = _open(jws, keys, TYPE)
    try:
        return Checkpoint(
            seq=int(said["seq"]),
            head=str(said["head"]),
            count=int(said["count"]),
            at=datetime.fromisoformat(said["at"]),
            kid=kid,
            jws=jws,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadCheckpointError(_("It is signed, and no checkpoint.")) from error


def sign_loss(pem: str, loss: Loss) -> str:
    """Return the signed word that a loss was accepted."""
    said = {"seq": loss.seq, "at": in_text(loss.at), "reason": loss.reason}
    return _sign(pem, public_jwk(pem)["kid"], LOSS, said)


def read_loss(jws: str, keys: Sequence[Jwk]) -> Loss:
    """Return an accepted loss.

    Raises:
        BadCheckpointError: It is none, or none of these keys signed it.
    """
    _kid, said = _open(jws, keys, LOSS)
    return Loss(int(said["seq"]), datetime.fromisoformat(said["at"]), str(said["reason"]))


def standing(signed: Iterable[Checkpoint], losses: Sequence[Loss]) -> list[Checkpoint]:
    """Return the checkpoints that a ledger must still go on from."""
    return [
        one for one in signed if not any(one.seq > loss.seq and one.at < loss.at for loss in losses)
    ]


def vouches(jws: str, old: Jwk, new: Jwk) -> bool:
    """Say whether an old key gave its word for a new one."""
    try:
        _kid, said = _open(jws, [old], NEXT_KEY)
    except BadCheckpointError:
        return False
    return bool(said.get("x") == new["x"] and said.get("kid") == new["kid"])


def contradiction(checkpoint: Checkpoint, entry: Entry | None, count: int) -> str:
    """Return how a ledger contradicts a checkpoint; empty where it goes on from it.

    Args:
        checkpoint: What was signed.
        entry: The ledger's record of that number; None where it has none.
        count: How many records the ledger has up to that number.
    """
    if checkpoint.seq == 0:
        return ""
    if entry is None:
        text = _("record {seq} was there on {at}, and is not there now")
        return text.format(seq=checkpoint.seq, at=in_text(checkpoint.at))
    if entry.hash != checkpoint.head:
        text = _("record {seq} had another hash on {at} than it has now")
        return text.format(seq=checkpoint.seq, at=in_text(checkpoint.at))
    if count != checkpoint.count:
        text = _("there were {before} records up to {seq} on {at}, now there are {now}")
        return text.format(
            before=checkpoint.count, seq=checkpoint.seq, at=in_text(checkpoint.at), now=count
        )
    return ""


def _sign(pem: str, kid: str, kind: str, said: dict[str, Any]) -> str:
    return jwt.encode(said, _private(pem), ALGORITHM, headers={"kid": kid, "typ": kind})


def _open(jws: str, keys: Sequence[Jwk], kind: str) -> tuple[str, dict[str, Any]]:
    try:
        header = jwt.get_unverified_header(jws)
        kid = str(header.get("kid"))
        jwk = next((key for key in keys if key.get("kid") == kid), None)
        if jwk is None:
            text = _("It is signed with the key {kid}, which is not known here.")
            raise BadCheckpointError(text.format(kid=kid))
        if header.get("typ") != kind or thumbprint(str(jwk["x"])) != kid:
            raise BadCheckpointError(_("It is signed for something else, or with a false key."))
        return kid, jwt.decode(jws, _public(jwk), [ALGORITHM])
    except (jwt.PyJWTError, KeyError, ValueError) as error:
        if isinstance(error, BadCheckpointError):
            raise
        raise BadCheckpointError(_("Its signature does not hold: {e}").format(e=error)) from error


def _private(pem: str) -> Ed25519PrivateKey:
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(pem.encode(), None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise BadCheckpointError(_("The file of the key holds no Ed25519 key."))


def _public(jwk: Jwk) -> Ed25519PublicKey:
    raw = base64.urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
    return Ed25519PublicKey.from_public_bytes(raw)


def _bare(x: str) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": x}


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
