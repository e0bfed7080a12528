"""Releasing an assignment."""

from typing import Any

import pytest

from bioskills.base.tables import AssignmentVersion, AuditEntry
from bioskills.hub.campus import deliveries, releases
from bioskills.hub.campus.site import Refused


def test_the_first_release_is_version_one(world: Any) -> None:
    assert world.release() == 1


def test_the_same_tree_again_changes_nothing(world: Any) -> None:
    world.release(text=b"{}")

    assert world.release(text=b"{}") == 1
    assert len(world.rows(AssignmentVersion)) == 1
    assert len(world.rows(AuditEntry)) == 1


def test_another_tree_is_the_next_version(world: Any) -> None:
    world.release(text=b"{}")

    assert world.release(text=b"{ }") == 2


def test_an_older_version_is_not_released_again(world: Any) -> None:
    world.release(text=b"one")
    world.release(text=b"two")

    with pytest.raises(Refused, match="before as version 1"):
        world.release(text=b"one")


def test_a_release_without_a_notebook_is_refused(world: Any) -> None:
    with world.store.transaction() as session:
        delivery = deliveries.find_delivery(session, "spring")
        tree = world.tree({"data/a.txt": b"x"})

        with pytest.raises(Refused, match="no notebook"):
            releases.release(session, delivery, "p1", tree, by="grader", at=world.now)


@pytest.mark.parametrize(
    "marker", [b"### BEGIN HIDDEN TESTS", b"# BEGIN SOLUTION", b"=== BEGIN MARK SCHEME ==="]
)
def test_a_release_with_secrets_is_refused(world: Any, marker: bytes) -> None:
    tree = world.tree({"p1.ipynb": b"x" * 65_530 + marker + b"y"})

    with pytest.raises(Refused, match=r"p1\.ipynb still holds"):
        releases.refuse_secrets(tree, world.objects)


def test_learners_see_no_draft(world: Any) -> None:
    world.release()
    with world.store.transaction() as session:
        session.get_one(deliveries.Assignment, 2).state = "draft"

    with world.store.reading() as session:
        delivery = deliveries.find_for_lab(session, "spring", "ada", world.now)
        seen = deliveries.list_assignments(session, delivery, 1, drafts=False)
    assert [(a.name, a.version, a.notebooks, a.points) for a in seen.assignments] == [
        ("p1", 1, ["p1.ipynb"], "4")
    ]


def test_a_stranger_finds_no_run(world: Any) -> None:
    with world.store.reading() as session:
        with pytest.raises(Refused, match="no run spring"):
            deliveries.find_for_lab(session, "spring", "eve", world.now)
        assert deliveries.runs_for_lab(session, "ada", world.now) == ["spring"]
        assert deliveries.runs_for_lab(session, "eve", world.now) == []
