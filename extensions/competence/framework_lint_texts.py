"""Say what is wrong with the texts of a framework: languages, verbs, lengths.

Law: a language is complete or it is not declared; a statement says what can be
observed; no text begins as a spreadsheet's formula does.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bioskills.base.problems import Problem
from bioskills.base.text import _
from bioskills.competence.framework_form import HEAD
from bioskills.competence.framework_reading import Draft
from bioskills.competence.framework_verbs import denied_verb
from bioskills.competence.strict_yaml import Step

MOST_TITLE_CHARACTERS = 100
"""Moodle cuts a competency's short name there."""


class _Text(NamedTuple):
    file: str
    path: tuple[Step, ...]
    words: Mapping[str, str]
    kind: str


def text_faults(draft: Draft) -> Iterator[Problem]:
    """Yield every fault of the texts."""
    for text in _texts(draft):
        yield from _language_faults(draft, text)
        for language, words in text.words.items():
            yield from _form_faults(draft, text, language, words)
            if text.kind == "statement":
                yield from _verb_faults(draft, text, language, words)


def _texts(draft: Draft) -> Iterator[_Text]:
    yield _Text(HEAD, ("title",), draft.head.title, "title")
    for number, role in enumerate(draft.head.roles):
        yield _Text(HEAD, ("roles", number, "title"), role.title, "title")
    for number, carry in enumerate(draft.head.carries):
        if carry.missing:
            yield _Text(HEAD, ("carries", number, "missing"), carry.missing, "missing")
    for name, form in draft.units:
        yield _Text(name, ("title",), form.title, "unit title")
        for number, outcome in enumerate(form.outcomes):
            path = ("outcomes", number, "statement")
            yield _Text(name, path, outcome.statement, "statement")
        for number, words in enumerate(form.criteria):
            yield _Text(name, ("criteria", number), words, "criterion")


def _language_faults(draft: Draft, text: _Text) -> Iterator[Problem]:
    complete, titles = draft.head.languages.complete, draft.head.languages.titles
    wanted = [*complete, *(titles if text.kind == "unit title" else [])]
    for language in wanted:
        if language not in text.words:
            yield Problem(
                draft.where(text.file, *text.path),
                _("has no text in {language}.").format(language=language),
                _("framework.yaml declares the language for all texts of this kind."),
                _("Translate it, or declare less in `languages`."),
            )
    for language in text.words:
        if language not in {*complete, *titles}:
            yield Problem(
                draft.where(text.file, *text.path, language),
                _("is in {language}, which framework.yaml does not declare.").format(
                    language=language
                ),
                next=_("Declare it in `languages`, or take the text out."),
            )


def _form_faults(draft: Draft, text: _Text, language: str, words: str) -> Iterator[Problem]:
    where = draft.where(text.file, *text.path, language)
    if "\n" in words or words != words.strip():
        fault = _("has line breaks, or spaces around it.")
        yield Problem(where, fault, next=_("Write it in one line."))
    elif not words[0].isalnum():
        fault = _("begins with {sign}.").format(sign=words[0])
        rule = _("A text begins with a letter or digit; a spreadsheet could take it for a formula.")
        yield Problem(where, fault, rule, _("Begin with a word."))
    if "title" in text.kind and len(words) > MOST_TITLE_CHARACTERS:
        fault = _("has {n} characters; a title has at most {most}.")
        yield Problem(
            where,
            fault.format(n=len(words), most=MOST_TITLE_CHARACTERS),
            next=_("Shorten it; other systems cut it."),
        )


def _verb_faults(draft: Draft, text: _Text, language: str, words: str) -> Iterator[Problem]:
    verb = denied_verb(words, language)
    if verb:
        yield Problem(
            draft.where(text.file, *text.path, language),
            _("begins with {verb}: {words}.").format(verb=verb, words=words),
            _("An outcome says what somebody can observe."),
            _("Begin with what the learner does: explains, writes, decides ..."),
        )
