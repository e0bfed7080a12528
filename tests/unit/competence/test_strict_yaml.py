"""YAML from outside: whatever is in it, the answer is a value or a sentence."""

import pytest

from bioskills.competence.mapping import MappingError, parse_mapping
from bioskills.competence.strict_yaml import NotYamlError, read_yaml

ODD = [
    "!!bool maybe",
    "!!timestamp foo",
    "!!int ''",
    "!!float ''",
    "1" + ":1" * 300 + ".5",
    "2027-02-31",
    "!!binary ä",
    "!!set [1]",
    "!!python/none x",
    "{[1]: 2}",
]


@pytest.mark.parametrize("value", ODD)
def test_a_value_that_is_not_what_it_claims_is_refused(value: str) -> None:
    with pytest.raises(NotYamlError) as told:
        read_yaml(f"a: {value}")
    assert str(told.value)


@pytest.mark.parametrize("value", ODD)
def test_a_mapping_with_one_is_refused_as_every_other(value: str) -> None:
    with pytest.raises(MappingError):
        parse_mapping(f"framework: {value}")
