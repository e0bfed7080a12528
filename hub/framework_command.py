"""`bioskills framework check|diff|publish|list|show|export|import|esco`.

Law: a framework is read as its caller and published as the campus, who owns the
shelf; nothing that is published is ever written again; an import makes a draft, never a version.
"""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.problems import InputError, Problem, SetupError
from bioskills.base.settings import load_settings
from bioskills.base.text import _, ngettext
from bioskills.competence.framework import (
    BUILT_IN,
    SHOWN,
    Framework,
    load_framework,
    published,
    shelves,
)
from bioskills.competence.framework_diff import compare
from bioskills.competence.framework_folder import (
    fingerprint,
    folder_of,
    read_folder,
    write_draft,
)
from bioskills.competence.framework_lint import check_files
from bioskills.competence.framework_reading import Draft
from bioskills.hub.framework_words import as_json, shown, table

Parser = argparse.ArgumentParser
Options = argparse.Namespace


def add_framework(sub: "Verbs[Parser]") -> None:
    """Add `bioskills framework`."""
    text = _(
        "Check, compare, publish and exchange competence frameworks. For authors and the admin."
    )
    verbs = verbs_of(sub, "framework", text)
    folder = _("A folder with framework.yaml and a file per unit.")
    ref = _("A published version, such as BSH@1.0.0.")
    parser = _verb(verbs, "check", _("Say everything that is wrong with a framework."), _check)
    parser.add_argument("folder", type=Path, help=folder)
    text = _("Say what becomes of each outcome in the next version; changes nothing.")
    parser = _verb(verbs, "diff", text, _diff)
    parser.add_argument("old", help=_("A published version, or a folder."))
    parser.add_argument("new", help=_("A published version, or a folder."))
    parser.add_argument("--json", action="store_true", help=_("Write JSON, for programs."))
    text = _("Publish a version, so that courses can name it. It can never be changed again.")
    parser = _verb(verbs, "publish", text, _publish)
    parser.add_argument("folder", type=Path, help=folder)
    _verb(verbs, "list", _("List the versions that are published here."), _list)
    parser = _verb(verbs, "show", _("Show the units, outcomes and roles of a version."), _show)
    parser.add_argument("ref", help=ref)
    parser.add_argument("--language", default="en", help=_("Of the texts (default: en)."))
    _add_export(verbs, ref)
    _add_import(verbs)
    _add_esco(verbs, ref)


def _verb(
    verbs: "Verbs[Parser]", name: str, text: str, act: Callable[[Options], int | None]
) -> Parser:
    parser: Parser = verbs.add_parser(name, help=text, description=text)

    def run(options: Options) -> int:
        try:
            return act(options) or 0
        except OSError as error:
            said = _("{name}: cannot be read or written: {reason}. Nothing was changed.")
            name = error.filename2 or error.filename or ""
            raise SetupError(said.format(name=name, reason=error.strerror)) from None

    parser.set_defaults(act=run)
    return parser


def _add_export(verbs: "Verbs[Parser]", ref: str) -> None:
    text = _("Write a version in the form of another system.")
    parser = _verb(verbs, "export", text, _export)
    form = parser.add_mutually_exclusive_group(required=True)
    for name, help_text in (
        ("case", _("A CASE 1.1 package, as JSON.")),
        ("moodle", _("Moodle's competency framework, as CSV.")),
        ("bioschemas", _("A set of terms for harvesters, as JSON-LD.")),
    ):
        form.add_argument(
            f"--{name}", dest="form", action="store_const", const=name, help=help_text
        )
    parser.add_argument("ref", help=ref)
    parser.add_argument("--out", type=Path, help=_("A file; the terminal where none is named."))
    parser.add_argument("--site", help=_("Public address of the addresses in it (default: here)."))
    parser.add_argument("--language", default="en", help=_("Of the texts (default: en)."))


def _add_import(verbs: "Verbs[Parser]") -> None:
    text = _("Read a framework of another system into a draft; publishes nothing.")
    parser = _verb(verbs, "import", text, _import)
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument(
        "--case", dest="form", action="store_const", const="case", help=_("A CASE 1.1 package.")
    )
    form.add_argument(
        "--moodle", dest="form", action="store_const", const="moodle", help=_("Moodle's CSV.")
    )
    parser.add_argument("file", type=Path, help=_("The file."))
    parser.add_argument("folder", type=Path, help=_("The new folder of the draft."))
    parser.add_argument("--id", default="DRAFT", help=_("Its name here: capitals."))
    parser.add_argument("--version", default="0.1.0", help=_("Its version (default: 0.1.0)."))


def _add_esco(verbs: "Verbs[Parser]", ref: str) -> None:
    text = _("Check a table of ESCO skills against the official file; changes nothing.")
    parser = _verb(verbs, "esco", text, _esco)
    parser.add_argument("table", type=Path, help=_("A CSV with the columns of esco.csv."))
    parser.add_argument(
        "--skills", type=Path, required=True, help=_("The skills of the ESCO download, as CSV.")
    )
    parser.add_argument("--framework", default="BSH@1.0.0", help=ref)


def say(line: str) -> None:
    """Print one line of the command's answer."""
    print(line, flush=True)  # noqa: T201 - the command's own output


def checked(folder: Path) -> Draft:
    """Return a draft without fault, held against the version that it replaces.

    Raises:
        InputError: With every fault.
    """
    draft = check_files(read_folder(folder))
    if draft.head.replaces:
        compare(load_framework(draft.head.replaces), draft.framework())
    return draft


def _check(options: Options) -> None:
    draft = checked(options.folder)
    framework = draft.framework()
    text = _("{ref}: no fault. {units} units, {outcomes} outcomes, {points} points.")
    say(
        text.format(
            ref=draft.ref,
            units=len(framework.units),
            outcomes=len(framework.outcomes),
            points=framework.points,
        )
    )
    say(_("Next: bioskills framework publish {folder}").format(folder=options.folder))


def _either(name: str) -> Framework:
    """Return a published version by its name, or a draft by its folder."""
    if not Path(name).is_dir():
        return load_framework(name)
    return check_files(read_folder(Path(name))).framework()


def _diff(options: Options) -> None:
    steps = compare(_either(options.old), _either(options.new))
    if options.json:
        say(json.dumps(as_json(steps), ensure_ascii=False, indent=1))
    else:
        for line in table(steps):
            say(line)


def _publish(options: Options) -> None:
    from bioskills.hub.framework_publish import publish_here  # noqa: PLC0415 - keeps others quick

    draft = checked(options.folder)
    new = publish_here(draft)
    if new:
        say(_("Published {ref}. It cannot be changed any more.").format(ref=draft.ref))
    else:
        say(_("{ref} is published already; nothing changed.").format(ref=draft.ref))
    say(_("Fingerprint: {sha256}").format(sha256=fingerprint(draft.files)))
    say(_("Next, in a course's competence.yaml: framework: {ref}").format(ref=draft.ref))
    if draft.ref != SHOWN:
        text = _("Note: this version's campus shows outcomes of {shown} only; see the docs.")
        say(text.format(shown=SHOWN))


def _list(_options: Options) -> int:
    faults = 0
    for ref in published():
        try:
            framework = load_framework(ref)
        except InputError as error:
            faults += 1
            say(str(error))
            continue
        origin = _("built in") if ref in BUILT_IN else _("published here")
        say(f"{ref}  {framework.title}  ({origin}, {framework.issued})")
    return 1 if faults else 0


def _show(options: Options) -> None:
    framework = load_framework(options.ref)
    folders = (folder_of(shelf, options.ref) for shelf in shelves())
    folder = next(path for path in folders if path is not None and path.is_dir())
    for line in shown(framework, fingerprint(read_folder(folder)), options.language):
        say(line)


def _export(options: Options) -> None:
    from bioskills.hub.addresses import campus_public_url  # noqa: PLC0415
    from bioskills.hub.framework_exchange import exported  # noqa: PLC0415 - keeps others quick

    site = options.site or campus_public_url(load_settings())
    text = exported(load_framework(options.ref), options.form, site, options.language)
    if options.out is None:
        say(text.rstrip("\n"))
    else:
        options.out.write_text(text, encoding="utf-8", newline="")
        say(_("Written: {path}").format(path=options.out))


def _import(options: Options) -> None:
    from bioskills.hub.framework_exchange import imported  # noqa: PLC0415 - keeps others quick

    content = content_of(options.file)
    files = imported(content, options.form, options.id, options.version, _today())
    write_draft(files, options.folder)
    say(_("A draft is in {folder}; nothing is published.").format(folder=options.folder))
    say(_("Next: bioskills framework check {folder}").format(folder=options.folder))


def _esco(options: Options) -> None:
    from bioskills.competence.esco import official_skills, read_esco  # noqa: PLC0415

    skills = official_skills(content_of(options.skills))
    framework = load_framework(options.framework)
    rows = read_esco(content_of(options.table), framework, skills, _today())
    text = ngettext(
        "{n} row, in the official file.", "{n} rows, each in the official file.", len(rows)
    )
    say(text.format(n=len(rows)))


def _today() -> date:
    return datetime.now(UTC).date()


def content_of(path: Path) -> bytes:
    """Return a file that the caller names.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        text = _("cannot be read: {reason}.").format(reason=error.strerror)
        raise InputError([Problem(str(path), text, next=_("Name a file."))]) from None
