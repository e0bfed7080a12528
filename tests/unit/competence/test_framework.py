"""The framework is what was published, with the numbers of R5."""

from fractions import Fraction
from importlib.resources import files

import pytest

from bioskills.competence.framework import (
    PUBLISHED,
    ChangedFrameworkError,
    Framework,
    UnknownFrameworkError,
    load_framework,
    parse_framework,
)


def test_the_published_framework_has_14_units_81_outcomes_49_points(framework: Framework) -> None:
    assert (
        framework.ref,
        len(framework.units),
        len(framework.outcomes),
        sum(unit.points for unit in framework.units),
        len(framework.roles),
    ) == ("BSH@1.0.0", 14, 81, 49, 7)


RULES = {
    "knowledge": ("BSH-U04-K1", Fraction(3, 5), 1),
    "skill": ("BSH-U04-S1", Fraction(7, 10), 2),
    "skill of a unit of 2 points": ("BSH-U01-S1", Fraction(7, 10), 1),
    "skill of a unit of 3 points": ("BSH-U06-S1", Fraction(7, 10), 2),
    "autonomy": ("BSH-U04-A1", Fraction(7, 10), 1),
}


@pytest.mark.parametrize(("outcome", "theta", "n"), RULES.values(), ids=RULES)
def test_an_outcome_has_the_threshold_of_its_type(
    outcome: str, theta: Fraction, n: int, framework: Framework
) -> None:
    found = framework.outcomes[outcome]

    assert (found.theta, found.n, found.floor) == (theta, n, Fraction(1, 2))


def test_only_law_and_security_expire(framework: Framework) -> None:
    expiring = {o.unit: o.validity_months for o in framework.outcomes.values() if o.validity_months}

    assert expiring == {"BSH-U10": 24}


def test_mandatory_points_of_a_role_are_those_of_the_matrix(framework: Framework) -> None:
    worth = {unit.code: unit.points for unit in framework.units}
    found = {
        role.code: sum(worth[code] for code, mode in role.units.items() if mode == "mandatory")
        for role in framework.roles
    }

    assert sorted(found.values()) == sorted([18, 37, 22, 18, 13, 21, 5])


def test_one_changed_byte_is_refused() -> None:
    name, sha256 = PUBLISHED["BSH@1.0.0"]
    data = files("bioskills.competence").joinpath("frameworks", name).read_bytes()

    with pytest.raises(ChangedFrameworkError, match="never changes"):
        parse_framework(data.replace(b"explains", b"Explains", 1), "BSH@1.0.0", sha256)


def test_an_unknown_framework_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownFrameworkError, match=r"BSH@1\.0\.0"):
        load_framework("BSH@2.0.0")
