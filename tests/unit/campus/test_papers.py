"""The papers say what only the operator knows, or that it is missing; shown once, kept forever."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import Person
from bioskills.base.tables_papers import PaperSeen, PaperVersion
from bioskills.base.text import begin_reader, reader
from bioskills.hub import papers
from bioskills.hub.papers import Line, Part
from bioskills.hub.papers_text import accessibility_texts, parse_parts, privacy_texts

NOW = datetime(2027, 3, 18, 12, tzinfo=UTC)
FIRST = {"en": [Part("Who", (Line("A school"),)), Part("Gone", (Line("Bye"),))]}
SECOND = {"en": [Part("Who", (Line("A company"),)), Part("New", (Line("Hello"),))]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/db.sqlite"
    ensure_schema(url)
    found = Store(url)
    with found.transaction() as session:
        session.add(Person(name="lea", pseudonym="p-1", display_name="Lea"))
    yield found
    found.close()


def text_of(parts: object) -> str:
    return " ".join(line.text for part in parts for line in part.lines)  # type: ignore[attr-defined]


def test_what_the_operator_set_stands_in_every_language() -> None:
    facts = {"retention": "until 2030", "supervisor": "the Office", "operator_address": "Main St 1"}
    settings = Settings.model_validate({"papers": facts, "site": {"operator": "Skills Ltd"}})

    for parts in privacy_texts(settings).values():
        assert {"until 2030", "the Office", "Skills Ltd, Main St 1"} <= {
            value for value in (*facts.values(), "Skills Ltd, Main St 1") if value in text_of(parts)
        }


def test_what_the_operator_did_not_set_is_said_to_be_missing() -> None:
    text = text_of(privacy_texts(Settings())["en"])

    assert "has not been said yet" in text
    assert "lawful basis this happens, the people who run this site have to name" in text


def test_the_languages_say_the_same_parts() -> None:
    for texts in (privacy_texts(Settings()), accessibility_texts(Settings())):
        shapes = {tuple(len(part.lines) for part in parts) for parts in texts.values()}

        assert len(shapes) == 1
        assert texts["de"] != texts["en"]


def test_making_the_texts_leaves_the_reader_as_they_were() -> None:
    begin_reader("de", "Europe/Vienna")
    privacy_texts(Settings())

    assert (reader().language, reader().zone) == ("de", "Europe/Vienna")
    begin_reader("en")


def test_an_operator_s_own_text_is_read_as_text() -> None:
    found = parse_parts(
        "Before.\n# One\nTwo lines\nof text.\n\n- a\n- b\n<script>alert(1)</script>\n"
    )

    assert found == [
        Part("", (Line("Before."),)),
        Part(
            "One",
            (
                Line("Two lines of text."),
                Line("a", item=True),
                Line("b <script>alert(1)</script>", item=True),
            ),
        ),
    ]


def test_another_language_stands_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "privacy.md").write_text("# Who\nWe.")
    (tmp_path / "privacy.de.md").write_text("# Wer\nWir.")
    settings = Settings.model_validate({"papers": {"privacy_file": str(tmp_path / "privacy.md")}})

    titles = {code: parts[0].title for code, parts in privacy_texts(settings).items()}

    assert titles == {"en": "Who", "de": "Wer"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * 200_001])
def test_a_file_that_cannot_be_read_ends_in_a_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "privacy.md"
    if content:
        file.write_bytes(content)
    settings = Settings.model_validate({"papers": {"privacy_file": str(file)}})

    with pytest.raises(SetupError, match=r"privacy\.md"):
        privacy_texts(settings)


def test_the_same_text_again_is_no_new_version(store: Store) -> None:
    for texts in (FIRST, FIRST, SECOND, SECOND):
        with store.transaction() as session:
            papers.put_in_force(session, texts, NOW)

    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(PaperVersion)) == 2
        assert papers.in_force(session).sha256  # type: ignore[union-attr]


def test_nobody_is_shown_a_paper_that_is_not_there(store: Store) -> None:
    with store.reading() as session:
        assert not papers.is_due(session, "lea")


def test_a_paper_is_due_until_it_was_shown_and_again_when_it_changed(store: Store) -> None:
    due = []
    for texts in (FIRST, FIRST, SECOND):
        with store.transaction() as session:
            papers.put_in_force(session, texts, NOW)
        with store.transaction() as session:
            due.append(papers.is_due(session, "lea"))
            papers.note_seen(session, 1, papers.in_force(session).id, "de", NOW)  # type: ignore[union-attr]
            due.append(papers.is_due(session, "lea"))

    assert due == [True, False, False, False, True, False]
    with store.reading() as session:
        assert [row.language for row in session.scalars(select(PaperSeen))] == ["de", "de"]
        seen = papers.last_seen(session, 1)
        assert seen is not None
        assert papers.parts_of(seen[1], "fr") == tuple(SECOND["en"])


def test_a_stranger_has_nothing_due(store: Store) -> None:
    with store.transaction() as session:
        papers.put_in_force(session, FIRST, NOW)
        assert not papers.is_due(session, "nobody")


def test_what_changed_is_said_part_by_part() -> None:
    found = papers.changes(FIRST["en"], SECOND["en"])

    assert [(one.title, bool(one.before), bool(one.now)) for one in found] == [
        ("Who", True, True),
        ("New", False, True),
        ("Gone", True, False),
    ]
