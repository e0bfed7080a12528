"""A provider publishes a framework of its own on an installation, and courses can name it."""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from bioskills_frameworks import small_files
from bioskills_product import Product
from bioskills_tests import COURSE

from bioskills.competence.framework import BUILT_IN_SHELF

pytestmark = pytest.mark.integration


def written(product: Product, name: str, **more: Any) -> Path:
    folder = product.data / "drafts" / name
    folder.mkdir(parents=True)
    for file, content in small_files(**more).items():
        (folder / file).write_bytes(content)
    return folder


def audited(product: Product) -> list[tuple[str, str]]:
    with sqlite3.connect(product.data / "state/db/bioskills.sqlite") as base:
        wanted = "SELECT subject, detail FROM audit_entry WHERE action = 'framework.publish'"
        return [(str(subject), str(detail)) for subject, detail in base.execute(wanted)]


def test_a_published_framework_is_listed_named_by_courses_and_never_changes(
    fresh_product: Product,
) -> None:
    product = fresh_product
    draft = written(product, "first")
    done = product.command("framework", "publish", str(draft))
    assert done.returncode == 0, done.stderr
    assert "Published ACME@1.0.0" in done.stdout
    assert "shows outcomes of BSH@1.0.0 only" in done.stdout

    listed = product.command("framework", "list").stdout
    assert "ACME@1.0.0  Small skills  (published here" in listed
    assert "BSH@1.0.0" in listed
    shown = product.command("framework", "show", "ACME@1.0.0", "--language", "de").stdout
    assert "Einheit ACME-U01" in shown
    sha256 = next(li.split()[-1] for li in shown.splitlines() if li.startswith("Fingerprint"))
    [(subject, detail)] = audited(product)
    assert subject == "ACME@1.0.0"
    assert sha256 in detail

    again = product.command("framework", "publish", str(draft))
    assert again.returncode == 0
    assert "is published already; nothing changed" in again.stdout
    assert len(audited(product)) == 1

    other = written(product, "second", creator="Somebody else")
    refused = product.command("framework", "publish", str(other))
    assert refused.returncode == 2
    assert "A published version never changes" in refused.stderr
    assert "Raise `version`" in refused.stderr

    course = product.data / "course"
    shutil.copytree(COURSE, course)
    mapping = course / "competence.yaml"
    mapping.write_text(mapping.read_text().replace("BSH@1.0.0", "ACME@1.0.0"))
    said = product.command("course", "check", "--quick", str(course))
    assert "is no framework that is published here" not in said.stdout
    assert "shows outcomes of BSH@1.0.0 only" in said.stdout
    assert "BSH-U04-S1" in said.stdout
    assert said.returncode == 1


def test_the_built_in_version_cannot_be_published_with_other_content(
    fresh_product: Product,
) -> None:
    copy = fresh_product.data / "copy"
    shutil.copytree(BUILT_IN_SHELF / "bsh" / "1.0.0", copy)
    same = fresh_product.command("framework", "publish", str(copy))
    assert same.returncode == 0, same.stderr
    unit = copy / "U04.yaml"
    unit.chmod(0o644)
    unit.write_text(unit.read_text().replace("Sequence analysis", "Sequences"))

    refused = fresh_product.command("framework", "publish", str(copy))
    assert refused.returncode == 2
    assert "BSH@1.0.0: is published with other content" in refused.stderr


def test_a_framework_with_faults_is_not_published(fresh_product: Product) -> None:
    draft = written(fresh_product, "faulty", points=99, point_hours=20)
    refused = fresh_product.command("framework", "publish", str(draft))

    assert refused.returncode == 2
    assert "framework.yaml:" in refused.stderr
    assert len(refused.stderr.splitlines()) == 3
    assert "ACME" not in fresh_product.command("framework", "list").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="services have uids of their own under root alone")
def test_the_campus_owns_what_is_published_and_every_service_reads_it(
    fresh_product: Product,
) -> None:
    fresh_product.command("framework", "publish", str(written(fresh_product, "first")))
    folder = fresh_product.data / "state/frameworks/acme/1.0.0"
    campus = (fresh_product.data / "state/campus").stat().st_uid

    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {campus}
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o444"}
    assert folder.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in folder.parents[1].iterdir()] == ["acme"]
