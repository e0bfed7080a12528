"""A course whose learners' code writes, changes and removes files while it is graded."""

from pathlib import Path

from bioskills_corpus import Corpus, answer, book, check, fill, read_book, solved, write_book

WRITES = """
import os
def write(name, text):
    os.makedirs(os.path.dirname(name) or '.', exist_ok=True)
    with open(name, 'a') as file:
        file.write(text)
for name in ('made.csv', 'deep/er/made.txt', '.hidden', 'made.tmp', 'feedback/made.html', 'made.pyc'):
    write(name, 'made')
write('data/given.csv', 'more\\n')
write('own.txt', 'more')
write('draft.ipynb', '{}')
os.remove('gone.txt')
os.remove('old/gone.txt')
os.rmdir('old')
os.remove('folder')
write('folder/now.txt', 'made')
"""
READS = "found = sorted(n for n in os.listdir() if not n.endswith('.ipynb'))"
FOUND = "['.hidden', 'data', 'deep', 'feedback', 'folder', 'made.csv', 'made.pyc', 'made.tmp', 'other.pyc', 'own.txt', 'timestamp.txt']"
CONFIG = """c = get_config()
c.CourseDirectory.course_id = 'files'
c.Execute.execute_retries = 1
c.CourseDirectory.ignore = ['*.tmp', 'feedback']
"""
HANDED_IN = {
    "own.txt": "mine",
    "gone.txt": "mine",
    "old/gone.txt": "mine",
    "folder": "a file",
    "deep/notes.ipynb": "no notebook, not copied",
    "scratch.tmp": "not copied",
    "feedback/old.txt": "not copied",
    "other.pyc": "copied: this course ignores other names",
    "timestamp.txt": "2026-11-20 10:00:00.000000 UTC\n",
}


def _make(root: Path) -> None:
    source = root / "source" / "files"
    one = [answer("one", solved("", "one = 1")), check("one_test", 1, "assert one == 1")]
    two = [
        answer("two", solved("", f"import os\n{READS}")),
        check("two_test", 2, f"assert found == {FOUND}, found"),
        check("data_test", 1, "assert open('data/given.csv').read() == 'a\\n1\\nmore\\n'"),
    ]
    write_book(source / "a.ipynb", book(one))
    write_book(source / "b.ipynb", book(two))
    (source / "data").mkdir()
    (source / "data" / "given.csv").write_text("a\n1\n")
    (root / "nbgrader_config.py").write_text(CONFIG)


def _hand_in(root: Path) -> None:
    for learner, answers in {
        "writes": {"one": f"one = 1\n{WRITES}", "two": f"import os\n{READS}"},
        "reads": {"one": "one = 1", "two": f"import os\n{READS}"},
    }.items():
        folder = root / "submitted" / learner / "files"
        for name in ("a", "b"):
            released = read_book(root / "release" / "files" / f"{name}.ipynb")
            write_book(folder / f"{name}.ipynb", fill(released, answers))
        for name, text in HANDED_IN.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)


FILES = Corpus("files", ("files",), _make, _hand_in)
