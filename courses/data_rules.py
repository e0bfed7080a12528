"""Rules about data, licences and personal data.

Law: pure; a data file is what stands under `data/` of the course or of an
assignment, whatever its name.
"""

import hashlib
import re
from collections.abc import Iterator

from bioskills.base.text import _
from bioskills.courses.data_manifest import (
    ALLOWED_LICENCES,
    DATA_MANIFEST,
    MAX_DATA_BYTES,
    MAX_DATA_FILE_BYTES,
    is_data,
)
from bioskills.courses.faults import Fault
from bioskills.courses.reading import Course

_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}(?![A-Za-z0-9/])")
_MAIL_MADE_UP = re.compile(r"@(example|test|localhost|invalid)\b|\.(example|test|invalid)$")


def data_listed(course: Course) -> Iterator[Fault]:
    """Every data file is listed with its hash, and everything listed is there."""
    if course.data is None:
        return
    present = {path for path in course.files if is_data(path)}
    for path in sorted(present):
        entry = course.data.entry(path)
        if entry is None:
            message = _("{path} has no entry").format(path=path)
            yield Fault(DATA_MANIFEST, "files", path, message, _hash_advice(course, path))
        elif entry.sha256 != _sha256(course, path):
            message = _("the hash of {path} is another one").format(path=path)
            yield Fault(DATA_MANIFEST, path, entry.sha256, message, _hash_advice(course, path))
    for entry in course.data.files:
        if entry.path not in course.files:
            message = _("there is no file {path}").format(path=entry.path)
            yield Fault(DATA_MANIFEST, "files", entry.path, message)


def data_licensed(course: Course) -> Iterator[Fault]:
    """Every data file may be given away under the course's licence."""
    for entry in course.data.files if course.data else ():
        if entry.license not in ALLOWED_LICENCES:
            message = _("{path} is under {license}, which is not on the list of allowed licences")
            text = message.format(path=entry.path, license=entry.license)
            allowed = ", ".join(sorted(ALLOWED_LICENCES))
            advice = _("Use other data, or one of: {allowed}.").format(allowed=allowed)
            yield Fault(DATA_MANIFEST, f"{entry.path}.license", entry.license, text, advice)


def data_small(course: Course) -> Iterator[Fault]:
    """No data file is larger than 2 MB, and all together stay below 10 MB."""
    sizes = {path: len(content) for path, content in course.files.items() if is_data(path)}
    for path, size in sorted(sizes.items()):
        if size > MAX_DATA_FILE_BYTES:
            message = _("the file has {mb:.1f} MB; 2 MB is the limit").format(mb=size / 2**20)
            yield Fault(path, "", str(size), message)
    if sum(sizes.values()) > MAX_DATA_BYTES:
        message = _("data files have {mb:.1f} MB together; 10 MB is the limit")
        yield Fault("data", "", "", message.format(mb=sum(sizes.values()) / 2**20))


def no_personal_data(course: Course) -> Iterator[Fault]:
    """No mail address stands in anything learners get or read."""
    for book in course.notebooks.values():
        for cell in book.cells:
            for address in _MAIL.findall(cell.source):
                if not _MAIL_MADE_UP.search(address):
                    message = _("{address} looks like somebody's mail address")
                    yield Fault(book.path, cell.name, address, message.format(address=address))


def _sha256(course: Course, path: str) -> str:
    return hashlib.sha256(course.files[path]).hexdigest()


def _hash_advice(course: Course, path: str) -> str:
    digest = _sha256(course, path)
    return _("The file as it stands now has sha256: {digest}").format(digest=digest)


def data_listed_and_licensed(course: Course) -> Iterator[Fault]:
    """Every data file is listed, unchanged and free to be given away."""
    yield from data_listed(course)
    yield from data_licensed(course)
