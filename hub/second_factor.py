"""Check codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

Law: a key is sealed with a secret that is no part of the database; a code is taken once,
decided by the database; recovery codes are kept as hashes and each works once.
"""

import base64
import hashlib
import hmac
import os
import secrets
from datetime import datetime

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import CursorResult, or_, update
from sqlalchemy.orm import Session

from bioskills.base.tables_accounts import Account

KEY_BYTES, DIGITS, STEP_S = 20, 6, 30
AROUND = (0, -1, 1)
"""Clocks of telephones may be off by one step."""
RECOVERY_CODES = 8
_NONCE_BYTES = 12


class Sealer:
    """Seal keys for the database, and open them again."""

    def __init__(self, secret: str) -> None:
        key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"second-factor").digest()
        self._cipher = AESGCM(key)

    def seal(self, key: bytes, owner: str) -> str:
        """Return the key for the database; it opens for this owner alone."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, key, owner.encode())).decode()

    def open(self, sealed: str, owner: str) -> bytes | None:
        """Return the key, or None where it was sealed otherwise."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode())
        except InvalidTag:
            return None


def new_key() -> bytes:
    """Return a new key to share with an authenticator app."""
    return secrets.token_bytes(KEY_BYTES)


def in_letters(key: bytes) -> str:
    """Return a key as a person types it: groups of four letters."""
    text = base64.b32encode(key).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def picture(key: bytes, name: str, issuer: str) -> str:
    """Return the QR code that an authenticator app reads, as a `data:` address."""
    uri = _totp(key).get_provisioning_uri(name, issuer)
    return str(segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff"))


def step_of(key: bytes, code: str, at: datetime) -> int | None:
    """Return the time step that a code is of, or None for a wrong code."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdecimal()):
        return None
    now = int(at.timestamp()) // STEP_S
    return next((now + off for off in AROUND if _is_of(key, typed, now + off)), None)


def take_code(session: Session, account: Account, step: int) -> bool:
    """Note that a code was used; False for one that was used before."""
    newer = or_(Account.totp_step.is_(None), Account.totp_step < step)
    chosen = update(Account).where(Account.id == account.id, newer).values(totp_step=step)
    done = session.execute(chosen)
    return isinstance(done, CursorResult) and done.rowcount == 1


def new_recovery_codes() -> list[str]:
    """Return codes to keep on paper, for the day the telephone is lost."""
    return [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _n in range(RECOVERY_CODES)]


def hash_of(code: str) -> str:
    """Return a recovery code as it is kept; it has 64 random bits, so one hash is enough."""
    return hashlib.sha256("".join(code.split()).lower().encode()).hexdigest()


def take_recovery(account: Account, code: str) -> bool:
    """Use up a recovery code, in the caller's transaction."""
    wanted, left = hash_of(code), list(account.recovery or [])
    found = next((one for one in left if hmac.compare_digest(one, wanted)), None)
    if found is None:
        return False
    account.recovery = [one for one in left if one != found]
    return True


def switch_on(account: Account, sealed: str, step: int, codes: list[str]) -> None:
    """Ask for codes from now on."""
    account.totp_sealed, account.totp_step = sealed, step
    account.recovery = [hash_of(code) for code in codes]


def switch_off(account: Account) -> None:
    """Ask for a password alone."""
    account.totp_sealed = account.totp_step = account.recovery = None


def _is_of(key: bytes, code: str, step: int) -> bool:
    try:
        _totp(key).verify(code.encode(), step * STEP_S)
    except InvalidToken:
        return False
    return True


def _totp(key: bytes) -> TOTP:
    # What every authenticator app understands; here SHA-1 is inside HMAC, where it holds.
    return TOTP(key, DIGITS, SHA1(), STEP_S)  # noqa: S303
