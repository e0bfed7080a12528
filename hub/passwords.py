"""Hash passwords, and say which ones will do.

Law: a password is looked at only as an argon2id hash, made beside the event loop and only
so many at one time; who does not exist costs as long as who does. What is asked of a
password is length and being hard to guess, never a mixture of characters (NIST SP 800-63B).
"""

import asyncio
import os
import unicodedata
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bioskills.base.text import _

SHORTEST, LONGEST = 12, 256

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id, 19 MiB, two passes: what OWASP asks for at least. 300 sign-ins within a minute cost the
hub 11 CPU seconds so, and 24 with 32 MiB (`make bench-signin`): too much beside labs on two cores."""
PRINTED = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
"""For printed passwords alone: they are random and lie in clear beside the hash."""

AT_ONCE = max(2, os.cpu_count() or 2)
"""Hashes that are made at one time: so many times 19 MiB is the most they take."""

MOST_WAITING = 500
"""A class of three hundred fits; a flood is told to come later."""

_NOBODY = HASHER.hash("nobody's")
_LETTERS_NEEDED = 5
_SHORTEST_NAME = 3
_COMMON = (
    *("password", "passwort", "motdepasse", "contrasena", "geheim", "secret", "welcome", "willkommen"),
    *("letmein", "iloveyou", "dragon", "monkey", "football", "baseball", "princess", "sunshine"),
    *("administrator", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "qwerty", "qwertz"),
    *("1q2w3e4r5t6y", "zaq12wsx", "abc123", "changeme", "trustno1", "superman", "training", "student"),
    *("bioskills", "jupyter", "jupyterhub", "jupyterlab"),
)  # fmt: skip
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")
_LONG, _VERY_LONG = 16, 20


def as_typed(password: str) -> str:
    """Return a password in one form, whichever keyboard composed its letters."""
    return unicodedata.normalize("NFKC", password)


def make_hash(password: str) -> str:
    """Return the hash to keep."""
    return HASHER.hash(as_typed(password))


def make_printed_hash(password: str) -> str:
    """Return a cheap hash of a machine-made password that is printed anyway."""
    return PRINTED.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Say whether a password is the one of this hash; takes as long where there is none."""
    try:
        HASHER.verify(kept or _NOBODY, as_typed(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_dated(kept: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


class Turns:
    """Let only so many hashes be made at one time; the others wait their turn."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0

    @property
    def is_crowded(self) -> bool:
        """Whether so many wait that another one would wait for minutes."""
        return self._waiting >= MOST_WAITING

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            async with self._free:
                yield
        finally:
            self._waiting -= 1

    async def matches(self, kept: str | None, password: str) -> bool:
        """Compare in a thread; argon2 lets go of the interpreter meanwhile."""
        async with self._turn():
            return await asyncio.to_thread(matches, kept, password)

    async def make_hash(self, password: str) -> str:
        """Hash in a thread."""
        async with self._turn():
            return await asyncio.to_thread(make_hash, password)


def faults_of(password: str, own_words: Iterable[str]) -> list[str]:
    """Return every reason why a password will not do, as sentences.

    Args:
        password: As it was typed.
        own_words: Name, mail address and so on: what everybody knows of the person.
    """
    typed = as_typed(password)
    plain = _letters(typed)
    found = []
    if len(typed) < SHORTEST:
        text = _("It has {n} characters; at least {least} are needed.")
        found.append(text.format(n=len(typed), least=SHORTEST))
    if len(typed) > LONGEST:
        found.append(_("It has more than {most} characters.").format(most=LONGEST))
    if typed and (_is_common(plain) or len(set(typed)) < _LETTERS_NEEDED):
        found.append(_("It is one of the first that somebody would try."))
    if any(_is_mostly(word, plain) for word in own_words):
        found.append(_("It is little more than your name or your mail address."))
    return found


def strength_of(password: str) -> str:
    """Say in words how long a guess would take, for a password without faults."""
    length = len(as_typed(password))
    if length >= _VERY_LONG:
        return _("Your password is very hard to guess.")
    if length >= _LONG:
        return _("Your password is hard to guess.")
    return _("Your password will do. One more word would make it much harder to guess.")


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _is_common(plain: str) -> bool:
    """Say whether nothing is left, or next to it, without common words and rows of keys."""
    left = plain
    for word in sorted(_COMMON, key=len, reverse=True):
        left = left.replace(word, "")
    left = left.strip("0123456789")
    return len(left) < _LETTERS_NEEDED or _is_a_row(plain)


def _is_a_row(plain: str) -> bool:
    return any(plain in row * 2 or plain in row[::-1] * 2 for row in _ROWS)


def _is_mostly(word: str, plain: str) -> bool:
    known = _letters(word)
    rest = len(plain) - len(known)
    return len(known) >= _SHORTEST_NAME and known in plain and rest < SHORTEST - _SHORTEST_NAME
