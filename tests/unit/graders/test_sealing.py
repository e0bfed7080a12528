"""A sealed notebook keeps values from before the first hidden test, whatever is written anew later."""

from typing import Any

from bioskills.graders.sealing import Seal

VISIBLE = "assert f() == 1"
HIDDEN = f"{VISIBLE}\n### BEGIN HIDDEN TESTS\nassert f() == 2\n### END HIDDEN TESTS"


def cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}


def book(*sources: str) -> dict[str, Any]:
    return {"cells": [cell(source) for source in sources]}


def value(text: str) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {"text/plain": text}}


def run(seal: Seal, name: str, made: Any) -> None:
    """Run every cell; each gives a value, and the last one writes all earlier values anew."""
    for number, each in enumerate(made["cells"]):
        seal.before(name, made, each)
        each["outputs"] = [value(f"{name} {number}")]
    for each in made["cells"]:
        each["outputs"][0]["data"]["text/plain"] = "hidden"
    seal.ended(name, made)


def test_values_are_those_from_before_the_first_hidden_test() -> None:
    seal = Seal({"a": book("x", VISIBLE, "y")}, {})
    run(seal, "a", book("x", HIDDEN, "y"))

    assert seal.shown() == {"a/#1": "a 0"}
    assert seal.closed


def test_a_notebook_without_a_hidden_test_is_kept_as_it_ended_and_later_ones_not_at_all() -> None:
    seal = Seal({"a": book("x"), "b": book(VISIBLE), "c": book("z")}, {"b/t": HIDDEN})
    run(seal, "a", book("x"))
    run(seal, "b", book(HIDDEN))
    run(seal, "c", book("z"))

    assert seal.shown() == {"a/#1": "hidden"}


def test_of_a_notebook_whose_process_died_early_is_shown_what_it_printed_until_then() -> None:
    seal = Seal({"a": book("x", VISIBLE)}, {"a/t": HIDDEN})
    died = book("x", HIDDEN)
    seal.before("a", died, died["cells"][0])
    died["cells"][0]["outputs"] = [value("17")]
    seal.ended("a", died)

    assert seal.shown() == {"a/#1": "17"}
