"""Gather every sentence of the code and merge them into the translators' catalogues.

Run by `make messages`. Law: a translation is never lost (one whose sentence is
gone stays in the file as obsolete) and never guessed: a sentence that changed is
a new one. Files change only when sentences do: no dates, no line numbers.

    python docs/messages.py        # all languages there are
    python docs/messages.py fr     # and begins French
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from pydantic import BaseModel

from bioskills.base.languages import lab_locale
from bioskills.base.settings import Settings

CLONE = Path(__file__).resolve().parents[1]
PANEL = CLONE / "extensions" / "competence-lab"
NO_SOURCE = {"node_modules", "__pycache__", "tests", "lib", "labextension"}


@dataclass(frozen=True)
class Domain:
    """One set of catalogues.

    Attributes:
        name: Of its files.
        folders: Where its sentences stand.
        methods: Which reader of Babel's reads which files.
        keywords: What marks a sentence, as Babel says it.
        locales: Where its catalogues lie.
        folder: What the folder of a language is called.
        more: Gives the sentences that stand in no call.
    """

    name: str
    folders: tuple[Path, ...]
    methods: tuple[tuple[str, str], ...]
    keywords: dict[str, Any]
    locales: Path
    folder: Callable[[str], str] = str
    more: Callable[[], list[str]] = list

    def file(self, language: str) -> Path:
        """Return the catalogue of a language."""
        return self.locales / self.folder(language) / "LC_MESSAGES" / f"{self.name}.po"

    def languages(self) -> list[str]:
        """Return the languages that have a catalogue."""
        files = self.locales.glob(f"*/LC_MESSAGES/{self.name}.po")
        return sorted(file.parts[-3].partition("_")[0] for file in files)


def options() -> list[str]:
    """Return what the options do, which stands in their fields and not in a call."""
    sections = [field.annotation for field in Settings.model_fields.values()]
    known = [s for s in sections if isinstance(s, type) and issubclass(s, BaseModel)]
    fields = [field for section in known for field in section.model_fields.values()]
    return [field.description for field in fields if field.description]


SETTINGS = "extensions/base/settings.py"
PYTHON_WORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
DOMAINS = (
    Domain(
        "bioskills",
        tuple(CLONE / name for name in ("hub", "extensions", "graders", "courses")),
        (("**.py", "python"), ("**/templates/**.html", "jinja2")),
        PYTHON_WORDS,
        CLONE / "extensions" / "base" / "locale",
        more=options,
    ),
    Domain(
        "bioskills_lab",
        (PANEL / "src", PANEL / "bioskills_lab"),
        (("**.py", "python"), ("**.ts", "javascript"), ("**.tsx", "javascript")),
        {"_": None, "__": None, "_n": (1, 2)},
        PANEL / "bioskills_lab" / "locale",
        lab_locale,
    ),
)


def sentences(domain: Domain) -> Catalog:
    """Return every sentence of a domain with the files it stands in."""
    found = Catalog(domain=domain.name, fuzzy=False)
    for folder in domain.folders:
        for name, _line, message, comments, context in _extract(domain, folder):
            where = str((folder / name).relative_to(CLONE))
            found.add(message, locations=[(where, 0)], auto_comments=comments, context=context)
    for text in domain.more():
        found.add(text, locations=[(SETTINGS, 0)])
    return found


def _extract(domain: Domain, folder: Path) -> Iterator[Any]:
    def inside(path: str) -> bool:
        name = Path(path).name
        return "-" not in name and name not in NO_SOURCE and not name.startswith(".")

    yield from extract_from_dir(
        str(folder),
        list(domain.methods),
        {pattern: {"newstyle_gettext": "true"} for pattern, _method in domain.methods},
        keywords=domain.keywords,
        comment_tags=("Translators:",),
        strip_comment_tags=True,
        directory_filter=inside,
    )


def merged(domain: Domain, language: str, found: Catalog) -> Catalog:
    """Return the catalogue of a language with these sentences."""
    file = domain.file(language)
    if not file.is_file():
        old = Catalog(language, domain.name)
    else:
        with file.open("rb") as stream:
            old = read_po(stream, locale=language, domain=domain.name)
    old.update(found, no_fuzzy_matching=True, update_creation_date=False)
    return old


def write(domain: Domain, language: str, catalogue: Catalog) -> None:
    """Write a catalogue; the panel's as JupyterLab reads it, too."""
    file = domain.file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(_head(catalogue, language).encode())
        options = {"omit_header": True, "sort_output": True, "include_lineno": False}
        write_po(stream, catalogue, width=100, **options)
    if domain.name == "bioskills_lab":
        file.with_suffix(".json").write_text(as_json(catalogue), encoding="utf-8")


def _head(catalogue: Catalog, language: str) -> str:
    """Return the head of a file: nothing that changes by itself."""
    lines = (
        f"Language: {language}",
        f"Plural-Forms: {catalogue.plural_forms}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )
    said = "".join(f'"{line}\\n"\n' for line in lines)
    return f'# Sentences of {catalogue.domain}; merged by make messages.\nmsgid ""\nmsgstr ""\n{said}\n'


def as_json(catalogue: Catalog) -> str:
    """Return a catalogue as JupyterLab's translator reads it."""
    head = {
        "domain": catalogue.domain,
        "language": str(catalogue.locale),
        "plural_forms": catalogue.plural_forms,
    }
    rows: dict[str, Any] = {"": head}
    for message in catalogue:
        if message.id and message.string and not message.fuzzy:
            plural = isinstance(message.id, tuple | list)
            said = list(message.string) if plural else [message.string]
            if all(said):
                rows[str(message.id[0]) if plural else str(message.id)] = said
    return json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(new: list[str]) -> None:
    """Merge all catalogues and say how far each is."""
    for domain in DOMAINS:
        found = sentences(domain)
        for language in sorted({*domain.languages(), *new}):
            catalogue = merged(domain, language, found)
            write(domain, language, catalogue)
            done = sum(1 for message in catalogue if message.id and _is_done(message))
            print(f"{domain.name} {language}: {done} of {len(found)} sentences")


def _is_done(message: Any) -> bool:
    said = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(said) and not message.fuzzy


if __name__ == "__main__":
    main(sys.argv[1:])
