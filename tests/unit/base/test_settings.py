"""What an operator may write, and every way to be told of a slip."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bioskills.base.problems import InputError
from bioskills.base.settings import SECTIONS, Settings, load_settings, section_fields
from bioskills.base.settings_command import Option, shown, sources_of


def written(folder: Path, text: str) -> Path:
    file = folder / "bioskills.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(file: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_settings(file, environ or {})
    return [str(problem) for problem in caught.value.problems]


def test_without_a_file_every_option_has_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load_settings(environ={}) == Settings()


def test_a_file_is_found_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "[network]\nport = 8100\n")
    monkeypatch.chdir(tmp_path)

    assert load_settings(environ={}).network.port == 8100


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[network]\nprot = 1\n", "Did you mean network.port?"),
        ("[netwrok]\nport = 1\n", "Did you mean network?"),
        ("[labs]\nidle_timeout = 60\n", "Did you mean labs.idle_timeout_s?"),
        ("[site]\nxyzzy = 1\n", "See: bioskills settings list"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_name(
    tmp_path: Path, text: str, named: str
) -> None:
    (told,) = refused(written(tmp_path, text))

    assert "there is no option" in told
    assert told.endswith(named)


@pytest.mark.parametrize(
    "name", ["BIOSKILLS_NETWORK_PROT", "BIOSKILLS_NETWROK_PORT", "BIOSKILLS_SIGNIN_METHOD"]
)
def test_a_mistyped_variable_is_refused_too(tmp_path: Path, name: str) -> None:
    (told,) = refused(written(tmp_path, ""), {name: "1"})

    assert told.startswith(f"environment: there is no option {name}. Did you mean BIOSKILLS_")


@pytest.mark.parametrize(
    "name", ["BIOSKILLS_TEST_ENVIRONMENTS", "BIOSKILLS_CAMPUS_URL", "BIOSKILLS_HUB_CONFIG_D"]
)
def test_a_variable_of_another_part_is_left_alone(tmp_path: Path, name: str) -> None:
    assert load_settings(written(tmp_path, ""), {name: "x"}) == Settings()


def test_every_fault_of_file_and_environment_is_told_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, '[network]\nprot = 1\nport = "many"\n[labs]\nfirst_uid = 5\n[x]\n')

    told = refused(file, {"BIOSKILLS_GRADING_POLL_S": "-1", "BIOSKILLS_GRADING_POLS": "1"})

    assert len(told) == 6
    for part in ("network.prot", "network.port is 'many'", "labs.first_uid is 5", "no option x"):
        assert any(part in line for line in told), part


def test_a_fault_names_the_variable_or_the_file_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, '[network]\nport = "many"\n')

    told = refused(file, {"BIOSKILLS_NETWORK_HUB_PORT": "99999"})

    assert any(line.startswith(f"{file}: network.port") for line in told)
    assert any(line.startswith("BIOSKILLS_NETWORK_HUB_PORT: network.hub_port") for line in told)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("network = 3\n", "network is 3. A section is a table."),
        ("[network]\nport = 8081\nhub_port = 8081\n", "must differ"),
        ('[site]\ntime_zone = "Mars/Base"\n', "Europe/Berlin"),
        ("[site]\ntitle = 5\n", "site.title is 5"),
        ('[sign_in]\nmethod = "magic"\n', "sign_in.method is 'magic'"),
        ("[sign_in]\nmembership_age_s = 31\n", "less than or equal to 30"),
        ("[network\n", "is not TOML"),
    ],
)
def test_a_wrong_value_is_refused_with_its_rule(tmp_path: Path, text: str, part: str) -> None:
    (told,) = refused(written(tmp_path, text))

    assert part in told


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bioskills.toml"
    file.write_bytes(b"\xff\xfe")

    (told,) = refused(file)

    assert "is not TOML" in told


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    missing = tmp_path / "gone.toml"

    assert refused(missing) == [f"{missing}: cannot be read: No such file or directory."]
    (told,) = refused(None, {"BIOSKILLS_SETTINGS": str(missing)})
    assert (
        told
        == f"{missing}: there is no such settings file. Unset BIOSKILLS_SETTINGS or correct it."
    )


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "[network]\nport = 8100\nhub_port = 8101\n")

    network = load_settings(file, {"BIOSKILLS_NETWORK_PORT": "8200"}).network

    assert (network.port, network.hub_port, network.host) == (8200, 8101, "hub.localhost")


def test_settings_never_change(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, ""), {})

    for change in (
        lambda: setattr(settings, "network", settings.network),
        lambda: setattr(settings.network, "port", 1),
        lambda: setattr(settings.network, "new", 1),
    ):
        with pytest.raises(ValidationError):
            change()


def test_every_option_can_be_overridden_from_the_environment(tmp_path: Path) -> None:
    defaults, variables = Settings(), {}
    for section in SECTIONS:
        for key in section_fields(section):
            value = getattr(getattr(defaults, section), key)
            variables[f"BIOSKILLS_{section}_{key}".upper()] = (
                ",".join(value) if isinstance(value, tuple) else str(value)
            )

    assert load_settings(written(tmp_path, ""), variables) == defaults


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("hub", False)],
)
def test_only_this_machines_own_addresses_count_as_loopback(address: str, loopback: bool) -> None:
    assert Settings.model_validate({"network": {"address": address}}).is_loopback is loopback


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("client_secret", "hunter2", "set; not shown"),
        ("smtp_password", "hunter2", "set; not shown"),
        ("api_token", "", "not set"),
        ("token_days", 30, "30"),
        ("url", "postgresql+psycopg://me:hunter2@db/x", "postgresql+psycopg://..."),
    ],
)
def test_no_secret_is_shown_whatever_option_holds_it(
    key: str, value: object, expected: str
) -> None:
    assert shown(Option("section", key, value, "somewhere", None)) == expected


def test_the_sources_of_values_name_file_and_variable_and_leave_defaults_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bioskills.toml"
    file.write_text("[labs]\nmemory_mb = 1024\n", encoding="utf-8")
    monkeypatch.setenv("BIOSKILLS_SETTINGS", str(file))
    monkeypatch.setenv("BIOSKILLS_SITE_TITLE", "Ours")
    found = sources_of(load_settings())

    assert found["labs.memory_mb"] == str(file)
    assert found["site.title"] == "BIOSKILLS_SITE_TITLE"
    assert found["labs.processes"] == ""
