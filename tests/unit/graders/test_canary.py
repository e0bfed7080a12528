"""A cell that must fail in one exact way."""

import secrets
from typing import Any

import pytest

from bioskills.graders.canary import canary, passed


def run(source: str, names: dict[str, Any] | None = None) -> dict[str, str]:
    try:
        exec(source, names if names is not None else {})
    except BaseException as error:  # noqa: BLE001
        return {"status": "error", "ename": type(error).__name__, "evalue": str(error)}
    return {"status": "ok"}


@pytest.mark.parametrize("numpy", [False, True])
@pytest.mark.parametrize("names", [(), ("gc", "missing")])
def test_an_honest_interpreter_passes_every_time(names: tuple[str, ...], numpy: bool) -> None:
    for _turn in range(50):
        nonce = secrets.token_hex(8)

        assert passed(
            run(canary(nonce, names, numpy=numpy), {"gc": len}), nonce, names, numpy=numpy
        )


def test_it_leaves_no_name_behind() -> None:
    names: dict[str, Any] = {}
    run(canary("1"), names)

    assert names.keys() == {"__builtins__"}


def test_beginners_names_do_not_disturb_it() -> None:
    names = {"str": 1, "len": 2, "sum": 3, "list": 4, "print": 5, "type": 6}

    assert passed(run(canary("2"), dict(names)), "2")


def test_a_cell_without_asserts_does_not_pass() -> None:
    source = "\n".join("pass" if li.startswith("assert") else li for li in canary("3").splitlines())

    assert not passed(run(source), "3")


def test_no_two_cells_are_alike_and_no_answer_fits_another() -> None:
    assert canary("4") != canary("5")
    assert not passed(run(canary("4")), "5")
