"""More people and a second version of the course, brought in by the real commands.

The demo cohort has no assignment that waits for its instructor, and none with
a single attempt: a copy of the course has both.
"""

import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bioskills_tests import COURSE

SECOND_VERSION = "0.1.99"
PASSWORD = "made by a test"


def second_version(folder: Path) -> Path:
    """Copy the course: practice is returned by hand, the assignment has one attempt."""
    copy = folder / COURSE.name
    shutil.copytree(COURSE, copy)
    _replace(copy / "course.yml", ("version: 0.1.0", f"version: {SECOND_VERSION}"))
    _replace(copy / "course.yml", ("release: automatic", "release: after_review"))
    _replace(copy / "competence.yaml", ("mapping_version: 1", "mapping_version: 2"))
    for name in ("course.yml", "competence.yaml"):
        _replace(copy / name, ("{max: 3, cooldown_hours: 24}", "{max: 1, cooldown_hours: 0}"))
    return copy


def _replace(file: Path, change: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    assert change[0] in text, (file.name, change[0])
    file.write_text(text.replace(*change, 1), encoding="utf-8")


def cohort_text(slug: str, people: dict[str, str], *, runs: bool, opens_in_days: int = -1) -> str:
    """Return a cohort file: people by name with their roles, and a run of the second version."""
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(days=opens_in_days)
    closes = opens + timedelta(weeks=10)
    text = f'[cohort]\nslug = "{slug}"\ntitle = "Cohort {slug}"\n' + "".join(
        f'[[people]]\nname = "{name}"\ndisplay_name = "{name.title()} Test"\n'
        f"roles = {json.dumps(roles.split())}\n"
        for name, roles in people.items()
    )
    run = (
        f'[[runs]]\nslug = "{slug}-run"\ncourse = "{COURSE.name}"\nversion = "{SECOND_VERSION}"\n'
        f'opens = "{opens.isoformat()}"\ncloses = "{closes.isoformat()}"\n'
    )
    return text + (run if runs else "")


def bring_in(product, *cohorts: str) -> None:
    """Install the second version, apply cohorts, give their people a password."""
    with tempfile.TemporaryDirectory() as folder:
        _must(product.command("course", "install", str(second_version(Path(folder)))))
        for number, text in enumerate(cohorts):
            file = Path(folder) / f"cohort-{number}.toml"
            file.write_text(text, encoding="utf-8")
            _must(product.command("cohort", "apply", str(file)))
            give_passwords(product, text)


def give_passwords(product, text: str) -> None:
    """Add people to the demo's printed passwords, which are printed at start only."""
    file = product.data / "state/hub/demo_sign_ins.json"
    names = [line.split('"')[1] for line in text.splitlines() if line.startswith("name = ")]
    known = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**dict.fromkeys(names, PASSWORD), **known}), encoding="utf-8")


def _must(done) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
