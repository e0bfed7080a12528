"""Passwords: what will do, how they are kept, and that strangers cost as much time."""

import asyncio
import threading
import time

import pytest

from bioskills.hub import passwords
from bioskills.hub.passwords import (
    Turns,
    faults_of,
    is_dated,
    make_hash,
    make_printed_hash,
    matches,
    strength_of,
)

WORDS = ("lea", "Lea Brandt", "l.brandt")


@pytest.mark.parametrize(
    "good",
    [
        "four words nobody said",
        "Tr0ub4dor&3-xyz",
        "ÄÖÜ schöne Gärten",
        "绿色的椅子在房间里唱歌很好听",
    ],
)
def test_length_is_enough_whatever_the_characters(good: str) -> None:
    assert faults_of(good, WORDS) == []
    assert strength_of(good).startswith("Your password")


@pytest.mark.parametrize(
    "bad",
    [
        *("", "short", "x" * 300),
        *("password1234", "Passwort2027!", "qwertyuiop12", "123456789012", "098765432109"),
        *("aaaaaaaaaaaa", "abababababab", "abcdefghijklm", "jupyterhub2027", "bioskillsbioskills"),
        *("leabrandt2027", "Lea Brandt 1", "l.brandt12345"),
    ],
)
def test_what_is_guessed_first_is_refused_with_a_reason(bad: str) -> None:
    assert all(fault.endswith(".") for fault in faults_of(bad, WORDS))
    assert faults_of(bad, WORDS)


def test_all_faults_are_told_at_once() -> None:
    assert len(faults_of("leabrandt", WORDS)) == 2


def test_a_hash_is_argon2id_at_least_as_dear_as_owasp_asks_and_holds_no_password() -> None:
    kept = make_hash("four words nobody said")

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "words" not in kept
    assert matches(kept, "four words nobody said")
    assert not matches(kept, "four words nobody sai")
    assert not matches(None, "nobody's"), "the stand-in for nobody opens nothing"


def test_letters_composed_otherwise_are_the_same_password() -> None:
    assert matches(make_hash("Gärten im Frühling"), "Ga\u0308rten im Fru\u0308hling")


def test_old_parameters_are_noticed() -> None:
    assert is_dated(make_printed_hash("printed"))
    assert not is_dated(make_hash("four words nobody said"))


def test_a_stranger_costs_a_whole_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    real = passwords.HASHER.verify
    monkeypatch.setattr(
        type(passwords.HASHER),
        "verify",
        lambda _self, kept, word: (looked_at.append(kept), real(kept, word))[1],
    )

    assert not matches(None, "four words nobody said")
    assert looked_at[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_only_so_many_hashes_are_made_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = [0], [0], threading.Lock()

    def slow(_kept: str, _password: str) -> bool:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return True

    monkeypatch.setattr(passwords, "matches", slow)
    turns = Turns(at_once=3)
    await asyncio.gather(*(turns.matches("", "") for _time in range(20)))

    assert most[0] <= 3
