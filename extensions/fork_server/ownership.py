"""Say whether anybody but root could change what a root process is about to import.

Law: looks at names, owners and modes by lstat alone, opens nothing that it
doubts, and names everything it finds. What lies outside an environment but is
imported or run from there (its interpreter, the standard library, the target of
a link, a path in a `.pth` file) is looked at in the same way.
"""

import hashlib
import os
import stat
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OWNER, WRITABLE, UNREADABLE, KIND, OUTSIDE = "owner", "writable", "unreadable", "kind", "outside"
OTHERS = stat.S_IWGRP | stat.S_IWOTH
MOST_LINKS = 40
"""As many links in a row as the kernel itself follows."""
SETTINGS = "pyvenv.cfg"
MARKS = (".complete", SETTINGS, "bin/python", "lib/python3.*/site-packages")


@dataclass(frozen=True)
class Fault:
    """One way in for somebody who is not root.

    Attributes:
        path: Where.
        code: *owner*, *writable*, *unreadable*, *kind* (neither file, folder nor link),
            *outside* (a link in a circle, or to a folder that holds the environment itself;
            or an environment that also takes the system's packages).
        number: The foreign uid, the mode, or the number of the system's error.
    """

    path: str
    code: str
    number: int = 0

    def __str__(self) -> str:
        number = oct(self.number) if self.code in {WRITABLE, KIND} else str(self.number)
        return f"{self.path}: {self.code} {number}"


def foreign(root: Path) -> list[Fault]:
    """Return every way in: below an environment, above it, and where it leads."""
    walk = _Walk()
    real = walk.reach(os.path.abspath(root))  # noqa: PTH100 - `resolve` would follow links unseen
    if real is None:
        walk.blame(str(root), UNREADABLE)
        return walk.faults()
    walk.root = real
    walk.descend(real)
    if not walk.found:
        said = _settings_of(real)
        if said.get("include-system-site-packages", "").lower() == "true":
            walk.blame(f"{real}/{SETTINGS}", OUTSIDE)
        for path in _stands_on(real, said):
            walk.visit(path)
    return walk.faults()


def digest(root: Path) -> str:
    """Return a cheap mark that changes when the environment was made again or changed."""
    total = hashlib.sha256()
    for pattern in MARKS:
        for path in sorted(root.glob(pattern)):
            state = path.lstat()
            total.update(f"{path} {state.st_ino} {state.st_mtime_ns} {state.st_size}\n".encode())
    mark = root / MARKS[0]
    total.update(mark.read_bytes() if mark.is_file() else b"")
    return total.hexdigest()


def _settings_of(root: str) -> dict[str, str]:
    try:
        lines = Path(root, SETTINGS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, _equals, value in pairs}


def _stands_on(root: str, said: Mapping[str, str]) -> list[str]:
    """Return what an environment uses without holding it: interpreter and standard library."""
    short = ".".join((said.get("version") or said.get("version_info", "")).split(".")[:2])
    home = said.get("home", "")
    library = f"{home.rpartition('/')[0]}/lib/python{short}"
    return [f"{root}/bin/python", library] if home else []


class _Walk:
    """Looks at each path once.

    Attributes:
        root: The environment's real path.
        found: Faults by path and code.
    """

    def __init__(self) -> None:
        self.root = ""
        self.found: dict[tuple[str, str], int] = {}
        self._modes: dict[str, int] = {}
        self._walked: list[str] = []

    def faults(self) -> list[Fault]:
        """Return what was found, in the order of the paths."""
        return [Fault(path, code, number) for (path, code), number in sorted(self.found.items())]

    def blame(self, path: str, code: str, number: int = 0) -> None:
        """Note a fault."""
        self.found[path, code] = number

    def visit(self, path: str) -> None:
        """Look at what a path leads to, and at everything below it."""
        real = self.reach(path)
        if real is None or any(f"{real}/".startswith(f"{done}/") for done in self._walked):
            return
        if f"{self.root}/".startswith(real if real == "/" else f"{real}/"):
            self.blame(path, OUTSIDE)
        elif stat.S_ISDIR(self._modes[real]):
            self.descend(real)

    def reach(self, path: str) -> str | None:
        """Go a path as the kernel does, judging each step; return where it ends, if anywhere."""
        at, links, parts = "/", 0, deque(path.split("/"))
        self._step(at)
        while parts:
            part = parts.popleft()
            if part in {"", "."}:
                continue
            here = os.path.normpath(f"{at.rstrip('/')}/{part}")
            mode = self._step(here)
            if not mode:
                return None  # Nobody but root can put something there: its folder was judged.
            if not stat.S_ISLNK(mode):
                at = here
                continue
            links += 1
            if links > MOST_LINKS:
                self.blame(path, OUTSIDE)
                return None
            target = os.readlink(here)  # noqa: PTH115 - thousands: no objects
            at = "/" if target.startswith("/") else at
            parts.extendleft(reversed(target.split("/")))
        return at

    def _step(self, path: str) -> int:
        if path not in self._modes:
            state = self._state(path)
            self._modes[path] = mode = state.st_mode if state else 0
            # In a sticky folder nobody else can replace what belongs to root.
            safe = stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)
            if state:
                self._judge(path, state, ignored=OTHERS if safe else 0)
        return self._modes[path]

    def _state(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.blame(path, UNREADABLE, error.errno or 0)
            return None

    def _judge(self, path: str, state: os.stat_result, ignored: int = 0) -> None:
        mode = state.st_mode
        if state.st_uid != 0:
            self.blame(path, OWNER, state.st_uid)
        if mode & OTHERS & ~ignored and not stat.S_ISLNK(mode):
            self.blame(path, WRITABLE, stat.S_IMODE(mode))
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            self.blame(path, KIND, mode)

    def descend(self, folder: str) -> None:
        """Look at a real folder and everything below it."""
        self._walked.append(folder)
        state = self._state(folder)
        if state:
            self._judge(folder, state)
        waiting, links, lists = [folder], list[str](), list[str]()
        while waiting:
            at = waiting.pop()
            try:
                with os.scandir(at) as entries:
                    self._look_at(entries, waiting, links, lists)
            except OSError as error:
                self.blame(at, UNREADABLE, error.errno or 0)
        for link in links:
            self.visit(link)
        for path in lists:
            self._visit_lines(path)

    def _look_at(
        self,
        entries: Iterable["os.DirEntry[str]"],
        folders: list[str],
        links: list[str],
        lists: list[str],
    ) -> None:
        for entry in entries:
            state = entry.stat(follow_symlinks=False)
            mode = state.st_mode
            if state.st_uid != 0 or mode & OTHERS or not stat.S_ISREG(mode):
                self._judge(entry.path, state)
            if stat.S_ISDIR(mode):
                folders.append(entry.path)
            elif stat.S_ISLNK(mode):
                links.append(entry.path)
            elif entry.name.endswith(".pth"):
                lists.append(entry.path)

    def _visit_lines(self, path: str) -> None:
        """Look where a `.pth` file sends the interpreter."""
        if any(at == path for at, _code in self.found):
            return
        text = Path(path).read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                self.visit(f"{path.rpartition('/')[0]}/{line.strip()}" if line[0] != "/" else line)
