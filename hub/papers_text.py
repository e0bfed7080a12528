"""Write the papers: ours with the operator's facts, or the operator's own.

Law: what only the operator can know is not guessed; where it is missing, the
paper says so and whom to ask. A file of the operator is text: headings,
paragraphs and lists; nothing in it becomes markup.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.text import _, begin_reader, known_languages, reader
from bioskills.hub.papers import Line, Part, Texts

MOST_BYTES = 200_000


def privacy_texts(settings: Settings) -> Texts:
    """Return the paper on privacy in every language there is.

    Raises:
        SetupError: The operator's own file cannot be read.
    """
    return _texts(settings.papers.privacy_file, lambda: privacy_parts(settings))


def accessibility_texts(settings: Settings) -> Texts:
    """Return the accessibility statement in every language there is.

    Raises:
        SetupError: The operator's own file cannot be read.
    """
    return _texts(settings.papers.accessibility_file, lambda: accessibility_parts(settings))


def _texts(own: str, ours: Callable[[], list[Part]]) -> Texts:
    if own:
        return _own_texts(Path(own))
    before, found = reader(), {}
    for language in known_languages():
        begin_reader(language)
        found[language] = ours()
    begin_reader(before.language, before.zone)
    return found


def _own_texts(file: Path) -> Texts:
    beside = {code: file.with_suffix(f".{code}{file.suffix}") for code in known_languages()}
    there = {code: path for code, path in beside.items() if path.is_file()}
    return {code: read_parts(there.get(code, file)) for code in known_languages()}


def read_parts(file: Path) -> list[Part]:
    """Return an operator's text as parts.

    Raises:
        SetupError: There is no such file, it is too large, or it is no UTF-8 text.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            text = _("{path} is larger than {limit} bytes, the most that a paper may have.")
            raise SetupError(text.format(path=file, limit=MOST_BYTES))
        return parse_parts(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        text = _(
            "{path}, which papers.privacy_file or papers.accessibility_file names, cannot be read as "
            "UTF-8 text: {error}. The campus reads it as its own account: chmod 644 {path}"
        )
        raise SetupError(text.format(path=file, error=error)) from error


def parse_parts(text: str) -> list[Part]:
    """Return headings (`#`), paragraphs and lists (`-`) as parts; everything else is text."""
    found: list[tuple[str, list[Line]]] = [("", [])]
    for block in _blocks(text.splitlines()):
        if block.startswith("#"):
            found.append((block.lstrip("#").strip(), []))
        else:
            item = block.startswith(("- ", "* "))
            found[-1][1].append(Line(block[2:].strip() if item else block, item))
    return [Part(title, tuple(lines)) for title, lines in found if title or lines]


def _blocks(lines: Iterable[str]) -> list[str]:
    """Return the lines of each heading, item and paragraph as one."""
    found: list[str] = []
    goes_on = False
    for line in map(str.strip, lines):
        begins = line.startswith(("#", "- ", "* "))
        if line and goes_on and not begins:
            found[-1] += " " + line
        elif line:
            found.append(line)
        goes_on = bool(line) and not line.startswith("#")
    return found


def _part(title: str, *lines: str, items: Iterable[str] = ()) -> Part:
    said = [Line(line) for line in lines if line]
    return Part(title, (*said, *(Line(item, item=True) for item in items)))


def privacy_parts(settings: Settings) -> list[Part]:
    """Return our text on privacy in the reader's language."""
    papers = settings.papers
    return [
        _operator(settings),
        _part(
            _("What your data are for"),
            papers.purposes
            or _(
                "To teach you, to grade what you hand in, and to state which competences you have shown."
            ),
            _lawful_basis(papers.lawful_basis),
        ),
        _stored(),
        _seen_by(papers.recipients),
        _kept(settings),
        _part(
            _("What a machine decides, and what a person decides"),
            _(
                "A program runs and grades what you hand in. You see its result and its reasons; where it is unsure, a person looks. You can always ask your instructor to look at a result again."
            ),
        ),
        _rights(settings),
    ]


def _operator(settings: Settings) -> Part:
    site, papers = settings.site, settings.papers
    named = ", ".join(part for part in (site.operator, papers.operator_address) if part)
    contact = papers.privacy_contact or site.help_contact
    return _part(
        _("Who runs this"),
        _("This site is run by {operator}.").format(operator=named)
        if named
        else _(
            "Who runs this site has not been said yet. Ask the person who invited you before you enter anything about yourself."
        ),
        _("Questions about your data: {contact}").format(contact=contact)
        if contact
        else _("Questions about your data: ask the person who invited you."),
    )


def _lawful_basis(basis: str) -> str:
    if basis:
        return _("Lawful basis: {basis}").format(basis=basis)
    return _("On which lawful basis this happens, the people who run this site have to name.")


def _stored() -> Part:
    return _part(
        _("What is stored"),
        items=(
            _(
                "Your name, your user name, your e-mail address if you or your provider gave one, the language and the time zone you chose."
            ),
            _("Your place in a cohort: role, from when and until when."),
            _("The files in your JupyterLab. Nobody reads them but you, until you hand them in."),
            _("What you hand in, with its time and receipt; points, comments and feedback on it."),
            _("Evidence of competences, under a pseudonym instead of your name."),
            _("Who looked at your work or changed something about it, and when."),
            _(
                "A cookie while you are signed in, and one for the language if you choose it before. None follows you, and no page loads anything from elsewhere."
            ),
        ),
    )


def _seen_by(recipients: str) -> Part:
    return _part(
        _("Who sees it"),
        items=(
            _("You see everything about your learning."),
            _(
                "The instructors and assessors of your cohort see your name, what you handed in, your results and your passport. Each look at your passport or your feedback is noted."
            ),
            _(
                "The certifiers of your cohort see your name and which units and outcomes you have reached, not your work. Each look is noted."
            ),
            _(
                "Managers and funders see figures about whole cohorts, without names; funders none about fewer than five people."
            ),
            _("The administrators of this site keep it running and can reach what is stored."),
            _("Other learners see nothing of it."),
            *((_("Also: {recipients}").format(recipients=recipients),) if recipients else ()),
        ),
    )


def _kept(settings: Settings) -> Part:
    retention = settings.papers.retention
    return _part(
        _("For how long"),
        _("Your work, your results and your name are kept {retention}.").format(retention=retention)
        if retention
        else _(
            "For how long your work, your results and your name are kept, the people who run this site have to name."
        ),
        _(
            "You are signed out after twelve hours. Your JupyterLab stops when it has been idle for {minutes} minutes; its files stay."
        ).format(minutes=settings.labs.idle_timeout_s // 60),
    )


def _rights(settings: Settings) -> Part:
    supervisor = settings.papers.supervisor
    return _part(
        _("Your rights"),
        _(
            "You may ask for a copy of your data, have what is wrong corrected, have data erased or locked, and object to their use. Write to the contact above."
        ),
        _("You may also complain to a supervisory authority: {supervisor}").format(
            supervisor=supervisor
        )
        if supervisor
        else _("You may also complain to the data protection authority of your country."),
    )


def accessibility_parts(settings: Settings) -> list[Part]:
    """Return our accessibility statement in the reader's language."""
    contact = settings.papers.accessibility_contact or settings.site.help_contact
    return [
        _part(
            _("What we aim at"),
            _(
                "Everybody should be able to learn and teach here. The pages of this site and the panel My training aim at WCAG 2.2, level AA, and with it at the web requirements of EN 301 549."
            ),
            _(
                "This statement is for {title}. It is a self-assessment of the software; no outside body has audited it."
            ).format(title=settings.site.title),
        ),
        _part(_("What was tested, and how"), items=_tested()),
        _part(_("What does not work yet, or is not known"), items=_limits()),
        _part(
            _("Tell us"),
            _("Did you meet a barrier? Write to {contact}.").format(contact=contact)
            if contact
            else _("Did you meet a barrier? Tell the person who invited you."),
            _("Say which page it was, what you wanted to do, and what you use to read the screen."),
        ),
    ]


def _tested() -> tuple[str, ...]:
    return (
        _(
            "Each page and the panel: with axe-core, all rules of WCAG 2.0 to 2.2 at levels A and AA, in the light and the dark theme, wide and narrow, before each version. No finding is open."
        ),
        _("The ways of a learner and of an instructor: with the keyboard alone."),
        _("Pages: down to 320 pixels wide, without JavaScript, and in print."),
        _("Text: contrast of at least 4.5 to 1; nothing is said by colour alone."),
    )


def _limits() -> tuple[str, ...]:
    return (
        _(
            "JupyterLab itself, in which notebooks are edited, is not ours: parts of it are hard to use with a screen reader or the keyboard. What you must hand in can also be written in another editor and uploaded."
        ),
        _(
            "Formgrader, where instructors grade by hand, is a part of nbgrader with known barriers."
        ),
        _(
            "No person has tested with a screen reader, with forced colours, or in Firefox and Safari."
        ),
        _(
            "Contents of courses are their authors' own; the check of a course looks for missing text alternatives."
        ),
    )
