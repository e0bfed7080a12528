"""Small courses that use everything a notebook under nbgrader can hold.

Each is one assignment; `ALL` lists them. What a learner's cell does stands
beside what its test sees, so that a difference names the feature by its cell.
"""

import base64
import json
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from bioskills_corpus import (
    Book,
    Cell,
    Corpus,
    answer,
    answers_of,
    book,
    change,
    check,
    essay,
    fill,
    hidden,
    named,
    plain,
    prose,
    read_book,
    read_only,
    solved,
    task,
    write_book,
)
from nbgrader.api import Gradebook

Answers = Mapping[str, str]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n not a picture").decode()
FEATURES: dict[str, tuple[str, str, str]] = {
    # name: right answer, another answer, test
    "printed": ("print('to be seen')\nprinted = 1", "printed = 2", "assert printed == 1"),
    "stderr": (
        "import sys\ndef speak():\n    return 1",
        "import sys\ndef speak():\n    print('careful', file=sys.stderr)\n    return 1",
        "assert speak() == 1",
    ),
    "warning": (
        "import warnings\ndef warn():\n    return 1",
        "import warnings\ndef warn():\n    warnings.warn('look here')\n    return 1",
        "assert warn() == 1",
    ),
    "old_call": (
        "def old():\n    return 2",
        "def old():\n    import warnings\n    warnings.warn('old', DeprecationWarning)\n    return 2",
        "assert old() == 2",
    ),
    "logged": (
        "def log():\n    return 3",
        "import logging\ndef log():\n    logging.getLogger('mine').warning('said')\n    return 3",
        "assert log() == 3",
    ),
    "program": (
        "import subprocess\ndone = subprocess.run(['echo', 'from a program'], capture_output=True)",
        "import subprocess\ndone = subprocess.run('echo loud; echo louder >&2', shell=True)",
        "assert done.returncode == 0",
    ),
    "program_in_test": (
        "command = 'true'",
        "command = 'echo problem >&2'",
        "import subprocess\nassert subprocess.run(command, shell=True).returncode == 0",
    ),
    "system": ("!echo listed\nlisted = 1", "!false\nlisted = 1", "assert listed == 1"),
    "bash": ("%%bash\necho hello from bash", "%%bash\nexit 3", "assert True"),
    "captured": (
        "%%capture kept\nprint('kept')",
        "kept = None",
        "assert 'kept' in kept.stdout",
    ),
    "timed": ("%time fast = 1", "%no_such_magic\nfast = 1", "assert fast == 1"),
    "asked": ("name = 'Ada'", "name = input('Your name? ')", "assert name == 'Ada'"),
    "awaited": (
        "import asyncio\nawait asyncio.sleep(0)\nwaited = True",
        "async def late():\n    return 1\nwaited = late()\nwaited.close()\nwaited = False",
        "import asyncio\nawait asyncio.sleep(0)\nassert waited",
    ),
    "updated": (
        "from IPython.display import display, update_display\ndisplay('first', display_id='one')\nupdate_display('second', display_id='one')\nshown = 1",
        "from IPython.display import display\ndisplay({'text/plain': '7'}, raw=True)\nshown = 0",
        "from IPython.display import update_display\nupdate_display('third', display_id='one')\nassert shown == 1",
    ),
    "cleared": (
        "from IPython.display import clear_output\nprint('gone')\nclear_output(wait=True)\nprint('stays')",
        "print('no clearing')",
        "import sys\nfrom IPython.display import clear_output\nprint('wrong', file=sys.stderr)\nclear_output()\nassert True",
    ),
    "widget": (
        "import ipywidgets\nslider = ipywidgets.IntSlider(value=4)\nslider",
        "import ipywidgets\nslider = ipywidgets.IntSlider(value=5)",
        "assert slider.value == 4\nslider",
    ),
    "output_widget": (
        "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('inside')\nout",
        "out = None",
        "with out:\n    print('in the test')\nassert out is not None",
    ),
    "figure": (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('T')\naxes = plt.gca()",
        "import matplotlib.pyplot as plt\naxes = plt.figure().gca()",
        "assert axes.get_title() == 'T'",
    ),
    "figure_in_test": (
        "import matplotlib.pyplot as plt\ndef draw():\n    plt.plot([2, 1])",
        "def draw():\n    raise RuntimeError('no pencil')",
        "draw()\nplt.show()",
    ),
    "frame": (
        "import pandas as pd\ntable = pd.DataFrame({'a': [1, 2]})\ntable",
        "import pandas as pd\ntable = pd.DataFrame()",
        "assert len(table) == 2\ntable",
    ),
    "deep": (
        "def deep(n):\n    return n",
        "def deep(n):\n    return deep(n + 1)",
        "assert deep(3) == 3",
    ),
    "exit": ("left = 1", "import sys\nleft = 2\nsys.exit(1)", "assert left == 1"),
    "keyboard": ("held = 1", "held = 2\nraise KeyboardInterrupt", "assert held == 1"),
    "threads": (
        "import threading\nfound = []\nworker = threading.Thread(target=found.append, args=(1,))\nworker.start()\nworker.join()",
        "import threading\nfound = []\nworker = threading.Thread(target=lambda: 1 / 0)\nworker.start()\nworker.join()",
        "assert found == [1]",
    ),
    "long": (
        "for number in range(1500):\n    print(number)",
        "for number in range(10):\n    print('x' * 5000)",
        "assert number == 1499",
    ),
    "surrogate": (
        "text = 'plain'",
        "text = '\\ud800 half'\nprint(repr(text))",
        "assert text == 'plain'",
    ),
    "environment": (
        "import os\nmode = os.environ.get('NBGRADER_EXECUTION')",
        "mode = None",
        "import os\nassert mode == os.environ.get('NBGRADER_EXECUTION') == 'autograde'",
    ),
    "folder": (
        "from pathlib import Path\nPath('mine.txt').write_text('written')\nfiles = sorted(p.name for p in Path('.').iterdir())",
        "files = []",
        "from pathlib import Path\nassert 'outputs.ipynb' in files and Path('mine.txt').read_text() == 'written'",
    ),
}
"""What a cell may do, and what its test sees of it."""

PARTIAL: dict[str, tuple[str, str]] = {
    # name: answers' value, test's last line
    "whole": ("2", "value"),
    "half": ("0.5", "value"),
    "fraction": ("3 / 4", "value"),
    "truth": ("True", "value"),
    "nothing": ("None", "value"),
    "word": ("'many'", "value"),
    "number_as_text": ("'1.5'", "value"),
    "zero": ("0", "value"),
    "numpy": ("__import__('numpy').float64(1.25)", "value"),
    "negative_zero": ("-0.0", "value"),
    "scientific": ("1e-3", "value"),
    "silent": ("1", "value;"),
    "printed": ("1", "print(value)"),
    "table": ("__import__('pandas').DataFrame({'a': [1]})", "value"),
    "then_error": ("1", "from IPython.display import display\ndisplay(value)\nassert not value"),
}


def outputs() -> Book:
    """Return the notebook of all features."""
    cells: list[Cell] = [prose("# What a cell can do")]
    for name, (right, _other, test) in FEATURES.items():
        cells += [answer(name, solved("", right)), check(f"{name}_test", 1, test)]
    return book(cells)


def _some(count: int, of: int) -> dict[str, str]:
    """Return the other answer for every feature whose number leaves this remainder."""
    names = enumerate(FEATURES)
    return {name: FEATURES[name][1] for place, name in names if place % of == count}


def _hand_in_outputs(root: Path) -> None:
    right = answers_of(outputs())
    work: dict[str, Answers] = {
        "right": right,
        "untouched": {},
        "all-other": right | _some(0, 1),
        "even": right | _some(0, 2),
    }
    _hand_in(root, "outputs", "outputs", work)


def _hand_in(root: Path, assignment: str, name: str, work: Mapping[str, Answers]) -> None:
    released = read_book(root / "release" / assignment / f"{name}.ipynb")
    for student, given in work.items():
        folder = root / "submitted" / student / assignment
        write_book(folder / f"{name}.ipynb", fill(released, given))


def partial() -> Book:
    """Return the notebook about points."""
    cells: list[Cell] = [prose("# Points")]
    for name, (value, test) in PARTIAL.items():
        shown = f"{test}\n{hidden('_seen = 1')}" if name == "printed" else test
        cells += [
            answer(name, solved("", f"value = {value}")),
            check(f"{name}_test", 2, shown),
        ]
    extra = [
        answer("bonus", solved("", "bonus = True")),
        check("bonus_test", 0, "assert bonus"),
        essay("code_essay", 3, solved("", "print('read me')"), kind="code"),
        essay("words", 4, "Say it in your own words."),
        task("project", 5, "Below this, draw something."),
        read_only("note", "This stays."),
        plain("# scratch"),
    ]
    return book([*cells, *extra])


def _hand_in_partial(root: Path) -> None:
    right = answers_of(partial())
    work: dict[str, Answers] = {
        "right": right | {"words": "Some words."},
        "untouched": {},
        "only-words": {"words": "Nothing else."},
        "all-two": dict.fromkeys(PARTIAL, "value = 2"),
        "over": right | {"whole": "value = 3"},
        "below": right | {"whole": "value = -1"},
        "no-number": right | {"whole": "value = float('nan')"},
    }
    _hand_in(root, "points", "points", work)
    # Graded by hand before; a second hand-in must keep it and ask again.
    path = root / "submitted" / "right" / "points" / "timestamp.txt"
    path.write_text("2026-11-01 08:00:00.000000 UTC")


TWO = ("Erste Schritte \N{EN DASH} Äpfel", "zweites heft")
LESSON = "Übung 1"
STAMPS = {
    "in-time": "2026-11-20 09:59:59.000000 UTC",
    "late": "2026-11-20 12:30:00.250000 UTC",
    "far away": "2026-11-20 06:00:00.000000 America/Los_Angeles",
    "with-offset": "2026-11-20T11:30:00+02:00",
    "in-words": "20 Nov 2026 11:00",
    "josé núñez": "2026-11-21 00:00:00 +0100",
    "empty-stamp": "\n",
    "with-extension": "2026-11-20 15:00:00.000000 UTC",
}
DUE = "2026-11-20 10:00:00.000000"


def _make_lesson(root: Path) -> None:
    folder = root / "source" / LESSON
    first = book(
        [
            prose("# Äpfel und Birnen ✓"),
            answer("zaehlen", solved("", "äpfel = sum(int(z) for z in open('daten/zahlen.txt'))")),
            check("zaehlen_test", 2, "assert äpfel == 6, '[summe] alle Zeilen'"),
            answer("eigene", solved("", "eigene = open('zahl.txt').read().strip()")),
            check("eigene_test", 1, hidden("assert eigene == 'vom Kurs'")),
            essay("bild", 2, "Hier ein Bild."),
        ],
        {"name": "python3", "display_name": "Python (Kurs)", "language": "python"},
    )
    second = book(
        [answer("zwei", solved("", "zwei = 2")), check("zwei_test", 3, "assert zwei == 2")]
    )
    write_book(folder / f"{TWO[0]}.ipynb", first)
    write_book(folder / f"{TWO[1]}.ipynb", second)
    (folder / "daten").mkdir()
    (folder / "daten" / "zahlen.txt").write_text("1\n2\n3\n")
    (folder / "zahl.txt").write_text("vom Kurs\n")


def _lesson_work(root: Path, student: str) -> tuple[Path, dict[str, Book]]:
    release = root / "release" / LESSON
    folder = root / "submitted" / student / LESSON
    shutil.copytree(release, folder)
    books = {}
    for name in TWO:
        source = read_book(root / "source" / LESSON / f"{name}.ipynb")
        books[name] = fill(read_book(release / f"{name}.ipynb"), answers_of(source))
    return folder, books


def _julia(content: Book) -> Book:
    spec = {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}
    return {**content, "metadata": {"kernelspec": spec}}


def _no_spec(content: Book) -> Book:
    return {**content, "metadata": {}}


def _twice_named(content: Book) -> Book:
    for cell in content["cells"]:
        cell["id"] = "same"
    return content


def _with_outputs(content: Book) -> Book:
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 9
            stream = {"output_type": "stream", "name": "stderr", "text": ["old\n"]}
            cell["outputs"] = [stream]
    return content


def _attached(content: Book) -> Book:
    cell = named(content, "bild")
    cell["source"] = "![Bild](attachment:bild.png)"
    cell["attachments"] = {"bild.png": {"image/png": PIXEL}}
    return content


FORMS: dict[str, Callable[[Book], Book]] = {
    "in-time": _attached,
    "late": _julia,
    "far away": _no_spec,
    "with-offset": _with_outputs,
    "in-words": _twice_named,
}


def _hand_in_lesson(root: Path) -> None:
    for student, stamp in STAMPS.items():
        folder, books = _lesson_work(root, student)
        (folder / "timestamp.txt").write_text(stamp)
        (folder / "zahl.txt").write_text("selbst geschrieben\n")
        (folder / "mehr").mkdir()
        (folder / "mehr" / "eigenes.csv").write_text("a\n1\n")
        (folder / ".ipynb_checkpoints").mkdir()
        (folder / ".ipynb_checkpoints" / "alt.txt").write_text("alt")
        books[TWO[0]] = FORMS.get(student, lambda content: content)(books[TWO[0]])
        for name, content in books.items():
            write_book(folder / f"{name}.ipynb", content)
        if student == "empty-stamp":
            (folder / f"{TWO[1]}.ipynb").unlink()
            write_book(folder / "entwurf.ipynb", books[TWO[1]])


def _settle_lesson(root: Path) -> None:
    change(root, "update assignment set duedate = ? where name = ?", DUE, LESSON)
    _known_before(root, LESSON, "with-extension")
    change(root, "update submitted_assignment set extension = ?", "1970-01-01 06:00:00.000000")


def _settle_points(root: Path) -> None:
    """One learner was graded by hand before, with points beyond the scale."""
    _known_before(root, "points", "right")
    change(root, "update grade set manual_score = 1.5, extra_credit = 0.25")
    change(root, "update comment set manual_comment = 'well'")


def _known_before(root: Path, assignment: str, student: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "before") as gradebook:
            gradebook.add_student(student)
            gradebook.add_submission(assignment, student)


SCHEMAS = "schemas"


def _older(content: Book, version: int) -> Book:
    """Return a notebook with metadata as an older nbgrader wrote it."""
    copy: Book = json.loads(json.dumps(content))
    for cell in copy["cells"]:
        about = cell["metadata"].get("nbgrader")
        if about:
            about["schema_version"] = version
            about.pop("task", None)
            if version < 2:
                about.pop("cell_type", None)
    return copy


def _make_schemas(root: Path) -> None:
    one = book([answer("one", solved("", "one = 1")), check("one_test", 1, "assert one == 1")])
    for version in (1, 2, 3):
        content = one if version == 3 else _older(one, version)
        write_book(root / "source" / SCHEMAS / f"v{version}.ipynb", content)


def _hand_in_schemas(root: Path) -> None:
    for student in ("new", "wrong"):
        for version in (1, 2, 3):
            released = read_book(root / "release" / SCHEMAS / f"v{version}.ipynb")
            given = {"one": "one = 1" if student == "new" else "one = 2"}
            place = root / "submitted" / student / SCHEMAS / f"v{version}.ipynb"
            content = fill(released, given)
            write_book(place, content if version == 3 else _older(content, version))


def _written(assignment: str, make: Callable[[], Book]) -> Callable[[Path], None]:
    def act(root: Path) -> None:
        write_book(root / "source" / assignment / f"{assignment}.ipynb", make())

    return act


PENALTY = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
OUTPUTS = Corpus("features", ("outputs",), _written("outputs", outputs), _hand_in_outputs)
POINTS = Corpus(
    "points", ("points",), _written("points", partial), _hand_in_partial, _settle_points
)
LESSONS = Corpus("kurs", (LESSON,), _make_lesson, _hand_in_lesson, _settle_lesson, PENALTY)
SCHEMA = Corpus("schemas", (SCHEMAS,), _make_schemas, _hand_in_schemas, updated=True)
ALL = (OUTPUTS, POINTS, LESSONS, SCHEMA)
