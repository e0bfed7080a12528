"""Rules about the form of notebooks: ids, outputs, headings, pictures, code.

Law: pure; a rule looks at the text of cells and never runs them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from bioskills.base.text import _
from bioskills.courses.faults import Fault
from bioskills.courses.notebooks import Cell, Notebook, unbalanced_mark
from bioskills.courses.reading import Course

MIN_ALT_CHARACTERS = 15
_TEXT_CELLS_IN_A_ROW = 3

_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]+)[^)]*\)")
_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_HTML_ALT = re.compile(r"\balt\s*=\s*[\"'](?P<alt>[^\"']*)[\"']", re.IGNORECASE)
_HTML_SOURCE = re.compile(r"\bsrc\s*=\s*[\"'](?P<target>[^\"']*)[\"']", re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6})\s+\S")
_CODE = re.compile(r"^\s*```.*?^\s*```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~)")
_ABSOLUTE = re.compile(r"[\"'(](/(home|root|Users|tmp|mnt|srv|work|opt|data)/|[A-Za-z]:\\\\?\w)")
_INSTALL = re.compile(
    r"^\s*[!%]?\s*(pip|pip3|conda|mamba|apt|apt-get|npm)\s+install\b", re.MULTILINE
)
_NETWORK = re.compile(
    r"\b(urllib\.request|requests\.(get|post)|httpx\.|urlopen|ftplib|Entrez\.(efetch|esearch)|"
    r"qblast|wget |curl )|[\"']https?://"
)


def format_and_ids(course: Course) -> Iterator[Fault]:
    """Notebooks have format 4.5 or later and every cell its own id."""
    for book in course.notebooks.values():
        if book.format < (4, 5):
            stored = ".".join(map(str, book.format))
            yield Fault(book.path, "nbformat", stored, _("the notebook has no cell ids"))
        for cell_id, count in Counter(cell.id for cell in book.cells).items():
            if count > 1:
                message = _("{n} cells have the id {id!r}").format(n=count, id=cell_id)
                yield Fault(book.path, cell_id, cell_id, message)


def grade_ids_unique(course: Course) -> Iterator[Fault]:
    """No grade id stands twice in the course."""
    places: dict[str, list[str]] = {}
    for book in course.notebooks.values():
        for cell in book.cells:
            if cell.grade_id:
                places.setdefault(cell.grade_id, []).append(book.path)
    for grade_id, paths in places.items():
        if len(paths) > 1:
            message = _("the grade id {id} stands in: {paths}")
            text = message.format(id=grade_id, paths=", ".join(paths))
            yield Fault(paths[-1], grade_id, grade_id, text)


def no_outputs(course: Course) -> Iterator[Fault]:
    """No output and no execution count is stored."""
    for book in course.notebooks.values():
        for cell in book.code():
            if cell.outputs or cell.execution_count is not None:
                yield Fault(book.path, cell.name, "", _("the cell holds the result of a run"))


def code_stays_inside(course: Course) -> Iterator[Fault]:
    """Code reads no absolute path, calls no network and installs nothing."""
    for book in course.notebooks.values():
        for cell in book.code():
            yield from _outside_faults(book, cell)


def _outside_faults(book: Notebook, cell: Cell) -> Iterator[Fault]:
    searches = (
        (_ABSOLUTE, _("an absolute path, which other machines do not have: {found}")),
        (_INSTALL, _("an installation, which learners may not do: {found}")),
        (_NETWORK, _("a call to the network, which may be absent: {found}")),
    )
    for pattern, message in searches:
        found = pattern.search(cell.source)
        if found:
            shown = found[0].strip()
            yield Fault(book.path, cell.name, shown, message.format(found=shown))


def headings_in_order(course: Course) -> Iterator[Fault]:
    """A notebook has one first-level heading, and no level is skipped."""
    for book in course.notebooks.values():
        levels = [(cell, level) for cell in book.prose() for level in _heading_levels(cell)]
        firsts = sum(1 for _cell, level in levels if level == 1)
        if firsts != 1:
            message = _("{n} headings of the first level; there must be one").format(n=firsts)
            yield Fault(book.path, "", str(firsts), message)
        before = 0
        for cell, level in levels:
            if level > before + 1:
                message = _("a heading of level {level} follows one of level {before}")
                text = message.format(level=level, before=before)
                yield Fault(book.path, cell.name, "#" * level, text)
            before = level


def _heading_levels(cell: Cell) -> Iterator[int]:
    fenced = False
    for line in cell.source.splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading:
            yield len(heading[1])


def images_described(course: Course) -> Iterator[Fault]:
    """Every picture says in words what it shows."""
    for book in course.notebooks.values():
        for cell in book.prose():
            for alt, target in _images(cell.source):
                name = target.rsplit("/", 1)[-1]
                if len(alt.strip()) < MIN_ALT_CHARACTERS or alt.strip() == name:
                    message = _("{name} has the text {alt!r} instead of a description")
                    yield Fault(book.path, cell.name, alt, message.format(name=name, alt=alt))


def _images(source: str) -> Iterator[tuple[str, str]]:
    for image in _IMAGE.finditer(source):
        yield image["alt"], image["target"]
    for tag in _HTML_IMAGE.findall(source):
        alt, target = _HTML_ALT.search(tag), _HTML_SOURCE.search(tag)
        yield (alt["alt"] if alt else ""), (target["target"] if target else "")


def learner_acts_often(course: Course) -> Iterator[Fault]:
    """Not more than three text cells stand in a row in a lesson."""
    for book in course.lessons:
        run = 0
        for cell in book.cells:
            run = run + 1 if cell.kind == "markdown" else 0
            if run == _TEXT_CELLS_IN_A_ROW + 1:
                message = _("more than {n} text cells in a row, and nothing to do")
                yield Fault(book.path, cell.name, "", message.format(n=_TEXT_CELLS_IN_A_ROW))


def links_lead_somewhere(course: Course) -> Iterator[Fault]:
    """Every picture and every link to a file of the course leads to a file."""
    for book in course.notebooks.values():
        for cell in book.prose():
            for target in _targets(cell.source):
                if not _leads(book.path, target, course.files):
                    message = _("{target} leads to no file of the course").format(target=target)
                    yield Fault(book.path, cell.name, target, message)


def _targets(source: str) -> Iterable[str]:
    source = _CODE.sub("", source)
    links = re.findall(r"\]\(([^)\s]+)", source) + [target for _alt, target in _images(source)]
    outside = ("http://", "https://", "mailto:", "#", "attachment:", "data:")
    return (link.split("#")[0] for link in dict.fromkeys(links) if not link.startswith(outside))


def _leads(path: str, target: str, files: Iterable[str]) -> bool:
    parts = path.split("/")[:-1]
    for step in target.split("/"):
        if step == ".." and not parts:
            return False
        parts = parts[:-1] if step == ".." else [*parts, step] if step not in {"", "."} else parts
    found = "/".join(parts)
    return any(known == found or known.startswith(f"{found}/") for known in files)


def kernel_named(course: Course) -> Iterator[Fault]:
    """Every notebook names the kernel python3."""
    for book in course.notebooks.values():
        kernel = book.metadata.get("kernelspec", {}).get("name", "")
        if kernel != "python3":
            message = _("the kernel is {kernel!r}, not 'python3'").format(kernel=kernel)
            yield Fault(book.path, "kernelspec.name", kernel, message)


def authors_and_licence(course: Course) -> Iterator[Fault]:
    """Every notebook names its authors and its licence, because it travels alone."""
    for book in course.notebooks.values():
        for key in ("authors", "license"):
            if not book.metadata.get(key):
                message = _("the notebook's metadata has no {key}").format(key=key)
                yield Fault(book.path, f"metadata.{key}", "", message)


def marks_balanced(course: Course) -> Iterator[Fault]:
    """Every BEGIN SOLUTION and BEGIN HIDDEN TESTS has its END, and lessons have none."""
    for book in course.notebooks.values():
        for cell in book.cells:
            mark = unbalanced_mark(cell.source)
            if mark:
                message = _("{mark} has no partner").format(mark=mark)
                yield Fault(book.path, cell.name, mark, message)
    for book in course.lessons:
        for cell in book.cells:
            if "### BEGIN" in cell.source or cell.grade_id:
                message = _(
                    "a lesson is given out as it is; it cannot hold solutions or grade cells"
                )
                yield Fault(book.path, cell.name, "", message)


def ids(course: Course) -> Iterator[Fault]:
    """Cell ids are unique in their notebook, grade ids in the course."""
    yield from format_and_ids(course)
    yield from grade_ids_unique(course)
