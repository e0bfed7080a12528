"""Say what is wrong with the files of a tree.

Law: pure; nothing is opened here. Every fault is one sentence that names the file
and the rule, and looking ends as soon as a limit is passed.
"""

import tarfile
import unicodedata

from bioskills.base.problems import Problem
from bioskills.base.settings import Exchange
from bioskills.base.text import _

MB = 1_000_000
MAX_FAULTS = 20
_MAX_NAME_BYTES = 255


class Inspection:
    """What was seen of one archive so far, and what is wrong with it."""

    def __init__(self, limits: Exchange) -> None:
        self.limits = limits
        self.faults: list[Problem] = []
        self.bytes = 0
        self.members = 0
        self.files: dict[str, str] = {}
        self.folders: dict[str, str] = {}

    def see(self, info: tarfile.TarInfo) -> bool:
        """Note one member; return whether it makes sense to look further."""
        self.members += 1
        path = plain_name(info.name)
        if info.isdir() and path in {"", "."}:
            return True
        problem = _name_problem(path, self.limits) or _kind_problem(info)
        if problem:
            self._add(path, *problem)
        elif info.isreg():
            self._note(path, info.size)
        return self._within_limits()

    def _note(self, path: str, size: int) -> None:
        self.bytes += size
        key = _folded(path)
        if key in self.files:
            self._add(path, *_double(path, self.files[key]))
        elif key in self.folders or any(part in self.files for part in _parents(key)):
            self._add(path, _("the same name is a file and a folder."), _("Rename one of them."))
        self.files[key] = path
        self.folders.update((part, path) for part in _parents(key))

    def _within_limits(self) -> bool:
        if self.bytes > self.limits.max_tree_mb * MB:
            self._add(*_too_large(self.limits))
        elif self.members > 2 * self.limits.max_files or len(self.files) > self.limits.max_files:
            self._add(*_too_many(self.limits))
        else:
            return len(self.faults) < MAX_FAULTS
        return False

    def _add(self, path: str, what: str, rule: str) -> None:
        self.faults.append(Problem(_shown(path), what, rule))


def plain_name(name: str) -> str:
    """Return a member's name without the `./` that tar programs write."""
    return name.removeprefix("./")


def _folded(path: str) -> str:
    # Twice: folding may undo the normal form.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _shown(path: str) -> str:
    """Return a path that is safe to print: control and undecodable characters escaped."""
    clean = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
    return clean if len(clean) <= 120 else f"{clean[:100]}…"  # noqa: PLR2004 - one line of text


def _kind_problem(info: tarfile.TarInfo) -> tuple[str, str] | None:
    if info.isdir() or (info.isreg() and not info.issparse() and info.type != tarfile.CONTTYPE):
        return None
    if info.issym() or info.islnk():
        rule = _("Links are not accepted: put a copy of the file there.")
        return _("this is a link."), rule
    return _("this is not a regular file."), _("Only regular files are accepted: remove it.")


def _name_problem(path: str, limits: Exchange) -> tuple[str, str] | None:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or (len(path) > 1 and path[1] == ":"):
        return _("the name leaves the folder."), _("Use names relative to the folder.")
    if any(part in {"", "."} for part in parts):
        return _("the name is not written plainly."), _("Leave out empty parts and '.'.")
    if "\\" in path:
        return _("the name holds a backslash."), _("Rename the file.")
    if any(unicodedata.category(c).startswith("C") for c in path):
        return _("the name holds a control or unreadable character."), _("Rename the file.")
    return _length_problem(path, limits) or _edge_problem(parts)


def _length_problem(path: str, limits: Exchange) -> tuple[str, str] | None:
    if len(path) > limits.max_path_chars:
        rule = _("A path may have {n} characters at most: shorten it.")
        return _("the path is too long."), rule.format(n=limits.max_path_chars)
    if any(len(part.encode()) > _MAX_NAME_BYTES for part in path.split("/")):
        rule = _("A name may have {n} bytes at most: shorten it.")
        return _("the name is too long."), rule.format(n=_MAX_NAME_BYTES)
    return None


def _edge_problem(parts: list[str]) -> tuple[str, str] | None:
    if any(part != part.strip() or part.endswith(".") for part in parts):
        what = _("a part of the name begins or ends with a space, or ends with a dot.")
        return what, _("Rename the file.")
    return None


def _double(path: str, known: str) -> tuple[str, str]:
    if path == known:
        return _("the file is there twice."), _("Send each file once.")
    what = _("the name differs from {known} only in case or in how its letters are written.")
    return what.format(known=_shown(known)), _("Rename one of them.")


def _too_large(limits: Exchange) -> tuple[str, str, str]:
    rule = _("At most {n} MB are accepted: remove outputs and data you did not need.")
    return _("upload"), _("the files are too large together."), rule.format(n=limits.max_tree_mb)


def _too_many(limits: Exchange) -> tuple[str, str, str]:
    rule = _("At most {n} files are accepted: remove what is not needed.")
    return _("upload"), _("there are too many files."), rule.format(n=limits.max_files)
