"""A checkpoint is signed, says what the ledger was, and is taken from known keys alone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from bioskills.competence import checkpoints
from bioskills.competence.checkpoints import BadCheckpointError, contradiction
from bioskills.competence.ledger import Entry

AT = datetime(2027, 1, 20, 2, 0, tzinfo=UTC)
PEM, OTHER = checkpoints.new_key(), checkpoints.new_key()
JWK = checkpoints.public_jwk(PEM)


def test_a_checkpoint_says_what_was_signed() -> None:
    signed = checkpoints.sign(PEM, 7, "ab" * 32, 7, AT)

    assert checkpoints.read(signed.jws, [JWK]) == signed
    assert (signed.seq, signed.head, signed.count, signed.at) == (7, "ab" * 32, 7, AT)


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    # The example of appendix A.3 of RFC 8037.
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

    assert checkpoints.thumbprint(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_stranger_reads_it_with_pyjwt_alone() -> None:
    signed = checkpoints.sign(PEM, 7, "ab" * 32, 7, AT)

    key = jwt.PyJWK({name: JWK[name] for name in ("kty", "crv", "x")}, "EdDSA")
    assert jwt.decode(signed.jws, key, ["EdDSA"])["seq"] == 7


def test_another_key_is_not_taken() -> None:
    signed = checkpoints.sign(OTHER, 7, "ab" * 32, 7, AT)

    with pytest.raises(BadCheckpointError, match="not known"):
        checkpoints.read(signed.jws, [JWK])


def test_another_key_under_a_known_thumbprint_is_not_taken() -> None:
    signed = checkpoints.sign(OTHER, 7, "ab" * 32, 7, AT)
    false = {**JWK, "kid": signed.kid}

    with pytest.raises(BadCheckpointError, match="false key"):
        checkpoints.read(signed.jws, [false])


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_part_is_not_taken(part: int) -> None:
    parts = checkpoints.sign(PEM, 7, "ab" * 32, 7, AT).jws.split(".")
    parts[part] = parts[part][:-6] + ("AAAAAA" if parts[part][-6:] != "AAAAAA" else "BBBBBB")

    with pytest.raises(BadCheckpointError):
        checkpoints.read(".".join(parts), [JWK])


@pytest.mark.parametrize("text", ["", "a.b.c", "{}", "\0"])
def test_what_is_no_jws_is_not_taken(text: str) -> None:
    with pytest.raises(BadCheckpointError):
        checkpoints.read(text, [JWK])


def test_an_unsigned_one_and_another_algorithm_are_not_taken() -> None:
    said = {"seq": 1, "head": "", "count": 1, "at": "2027-01-20T02:00:00Z"}
    headers: dict[str, Any] = {"kid": JWK["kid"], "typ": checkpoints.TYPE}
    for jws in (
        jwt.encode(said, None, "none", headers=headers),
        jwt.encode(said, "s" * 64, "HS256", headers=headers),
    ):
        with pytest.raises(BadCheckpointError):
            checkpoints.read(jws, [JWK])


def test_a_signature_made_for_something_else_is_no_checkpoint() -> None:
    word = checkpoints.sign_next_key(PEM, checkpoints.public_jwk(OTHER))

    with pytest.raises(BadCheckpointError, match="something else"):
        checkpoints.read(word, [JWK])


def test_an_old_key_vouches_for_the_new_one_and_for_no_other() -> None:
    new = checkpoints.public_jwk(OTHER)
    word = checkpoints.sign_next_key(PEM, new)

    assert checkpoints.vouches(word, JWK, new)
    assert not checkpoints.vouches(word, JWK, checkpoints.public_jwk(checkpoints.new_key()))
    assert not checkpoints.vouches(word, new, new)


def test_a_ledger_contradicts_a_checkpoint_in_three_ways() -> None:
    signed = checkpoints.sign(PEM, 7, "ab" * 32, 7, AT)
    same = Entry(7, "", "", "ab" * 32)

    assert contradiction(signed, same, 7) == ""
    assert "is not there now" in contradiction(signed, None, 3)
    assert "another hash" in contradiction(signed, replace(same, hash="cd" * 32), 7)
    assert "there were 7 records" in contradiction(signed, same, 6)


def test_any_ledger_goes_on_from_the_empty_one() -> None:
    empty = checkpoints.sign(PEM, 0, "0" * 64, 0, AT)

    assert contradiction(empty, None, 0) == ""
