"""The how-to page of sign-in at a provider says what the code does."""

import re
from pathlib import Path

import pytest
from bioskills_tests import ROOT

from bioskills.base.places import places_of
from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import Settings, load_settings
from bioskills.hub.doctor import Patient
from bioskills.hub.doctor_machine import check_sign_in
from bioskills.hub.oidc_incomplete import refuse_incomplete
from bioskills.hub.oidc_secret import read_client_secret
from bioskills.hub.oidc_words import REASONS

PAGE = (ROOT / "docs" / "how-to" / "sign-in-with-oidc.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PROVIDERS = [block for block in BLOCKS if "client_id" in block]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_configuration_that_is_printed_is_accepted(tmp_path: Path, block: str) -> None:
    (tmp_path / "bioskills.toml").write_text(block)

    load_settings(tmp_path / "bioskills.toml", {})


@pytest.mark.parametrize("block", PROVIDERS)
def test_every_provider_that_is_printed_is_complete(tmp_path: Path, block: str) -> None:
    (tmp_path / "bioskills.toml").write_text(block)

    refuse_incomplete(load_settings(tmp_path / "bioskills.toml", {}))


def test_all_four_kinds_are_printed() -> None:
    assert len(PROVIDERS) == 4


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_explained_under_its_own_words(reason: str) -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.count(" | ") == 2]
    (shown,) = [row[0].strip("| …") for row in rows if row[1] == f"`{reason}`"]

    assert REASONS[reason]()[0].startswith(shown)


def test_what_is_missing_is_said_at_once() -> None:
    with pytest.raises(InputError) as error:
        refuse_incomplete(Settings.model_validate({"sign_in": {"method": "oidc"}}))

    assert [problem.where for problem in error.value.problems] == [
        "oidc.issuer",
        "oidc.client_id",
        "oidc.client_secret_file",
    ]


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    file.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        read_client_secret(file)
    file.chmod(0o600)
    assert read_client_secret(file) == "s3cret"
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(SetupError, match="cannot be read"):
        read_client_secret(tmp_path / "link")
    file.write_text("")
    with pytest.raises(SetupError, match="is empty"):
        read_client_secret(file)


def test_the_doctor_looks_at_the_provider_and_its_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(0o600)
    oidc = {"issuer": "https://x.example.org", "client_id": "hub"}
    given = {"sign_in": {"method": "oidc"}, "oidc": {**oidc, "client_secret_file": str(file)}}
    settings = Settings.model_validate(given)
    patient = Patient(settings, places_of(settings))

    assert check_sign_in(patient).level == "ok"
    file.chmod(0o644)
    assert "chmod 600" in check_sign_in(patient).sentence
