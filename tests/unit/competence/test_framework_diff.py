"""The crosswalk from one version to the next says what carries over, and never guesses."""

from typing import Any

import pytest
from bioskills_frameworks import frameworks, small_files
from hypothesis import HealthCheck, given, settings

from bioskills.base.problems import InputError
from bioskills.competence.framework import Framework, load_framework
from bioskills.competence.framework_diff import Fate, Step, compare
from bioskills.competence.framework_lint import check_files

OLD = "ACME@1.0.0"


def version(
    number: str = "1.0.0", change: tuple[bytes, bytes] = (b"", b""), **more: Any
) -> Framework:
    files = small_files(number, **more)
    if change[0]:
        assert change[0] in files["U01.yaml"]
        files["U01.yaml"] = files["U01.yaml"].replace(*change, 1)
    return check_files(files).framework()


def fates(steps: list[Step]) -> dict[str, Fate]:
    return {step.old or step.new: step.fate for step in steps}


def carry(relation: str = "exactMatchOf", **other: Any) -> dict[str, Any]:
    return {"source": "ACME-U01-S1", "target": "ACME-U02-S1", "relation": relation} | other


def test_a_version_that_changes_nothing_carries_everything_over() -> None:
    steps = compare(version(), version("1.0.1"))

    assert {step.fate for step in steps} == {Fate.CARRIES}
    assert {step.relation for step in steps} == {"exactMatchOf"}
    assert len(steps) == 6


def test_a_translation_alone_changes_no_outcome() -> None:
    after = version("1.0.1", ("erklärt ACME-U01-S1".encode(), b"deutet ACME-U01-S1"))

    assert {step.fate for step in compare(version(), after)} == {Fate.CARRIES}


def test_an_outcome_with_other_words_must_be_shown_again() -> None:
    after = version("2.0.0", (b"explains ACME-U01-S1", b"designs ACME-U01-S1"))
    [step] = [s for s in compare(version(), after) if s.fate is not Fate.CARRIES]

    assert (step.old, step.new, step.fate, step.relation) == (
        "ACME-U01-S1", "ACME-U01-S1", Fate.AGAIN, "",
    )  # fmt: skip
    assert step.reason == "it says something else"


def test_other_words_carry_over_where_the_new_version_says_that_they_mean_the_same() -> None:
    same = {"source": "ACME-U01-S1", "target": "ACME-U01-S1", "relation": "exactMatchOf"}
    change = (b"explains ACME-U01-S1", b"explains in full ACME-U01-S1")
    after = version("1.0.1", change, replaces=OLD, carries=[same])

    assert {step.fate for step in compare(version(), after)} == {Fate.CARRIES}


HARDER = {
    "threshold": (
        b"threshold: '0.70'",
        b"threshold: '0.80'",
        "80% in a task, where 70% were enough",
    ),
    "tasks": (b"tasks: 1", b"tasks: 3", "2 more tasks"),
    "floor": (b"critical_floor: '0.50'", b"critical_floor: '0.60'", "60% in a critical task"),
    "validity": (
        b"critical_floor: '0.50'",
        b"critical_floor: '0.50', validity_months: 24",
        "evidence not older than 24 months",
    ),
}


@pytest.mark.parametrize(("before", "after", "words"), HARDER.values(), ids=HARDER)
def test_a_harder_number_is_a_gap_that_says_what_is_missing(
    before: bytes, after: bytes, words: str
) -> None:
    steps = compare(version(), version("1.1.0", (before, after)))
    [step] = [s for s in steps if s.fate is not Fate.CARRIES]

    assert (step.fate, step.relation) == (Fate.GAP, "replacedBy")
    assert words in "; ".join(step.missing)


@pytest.mark.parametrize(("before", "after", "_words"), HARDER.values(), ids=HARDER)
def test_an_easier_number_is_no_gap(before: bytes, after: bytes, _words: str) -> None:
    steps = compare(version("1.1.0", (before, after)), version("1.2.0"))

    assert {step.fate for step in steps} == {Fate.CARRIES}


def test_a_declared_gap_says_what_its_author_wrote() -> None:
    carries = [carry("replacedBy", missing={"en": "a test", "de": "ein Test"})]
    steps = compare(version(), version("2.0.0", replaces=OLD, carries=carries))
    [step] = [s for s in steps if s.fate is Fate.GAP]

    assert (step.old, step.new, step.missing) == ("ACME-U01-S1", "ACME-U02-S1", ("a test",))


def test_what_no_old_outcome_leads_to_is_new_and_what_leads_nowhere_must_be_shown_again(
    framework: Framework,
) -> None:
    steps = compare(version(), framework)

    assert {step.fate for step in steps} == {Fate.AGAIN, Fate.NEW}
    assert len(steps) == 6 + 81
    assert {step.reason for step in steps if step.fate is Fate.AGAIN} == {"nothing follows it"}


def test_carries_of_an_unknown_outcome_are_refused_with_all_the_others() -> None:
    carries = [carry(source="ACME-U77-S1"), carry(), carry()]

    with pytest.raises(InputError) as refused:
        compare(version(), version("2.0.0", replaces=OLD, carries=carries))
    said = " ".join(str(problem) for problem in refused.value.problems)
    assert "names ACME-U77-S1, which ACME@1.0.0 does not have" in said
    assert "names ACME-U01-S1 twice" in said


def test_a_version_that_replaces_another_one_is_not_compared() -> None:
    with pytest.raises(InputError, match=r"is ACME@0\.9\.0, but this compares with ACME@1\.0\.0"):
        compare(version(), version("2.0.0", replaces="ACME@0.9.0"))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=frameworks())
def test_every_old_outcome_has_exactly_one_row(files: dict[str, bytes]) -> None:
    new, old = check_files(files).framework(), version()
    steps = compare(old, new)

    assert [step.old for step in steps if step.old] == list(old.outcomes)
    assert {step.new for step in steps if step.new} == set(new.outcomes) | {
        step.new for step in steps if step.fate is Fate.AGAIN and step.new
    }
    assert set(fates(compare(new, new)).values()) == {Fate.CARRIES}


def test_the_built_in_version_carries_over_to_itself() -> None:
    bsh = load_framework("BSH@1.0.0")

    assert {step.fate for step in compare(bsh, bsh)} == {Fate.CARRIES}
