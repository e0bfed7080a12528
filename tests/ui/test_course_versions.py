"""An instructor brings a new version of a course, from the first page to *installed*."""

import io
import zipfile

import pytest
import yaml
from bioskills_browser import examine
from bioskills_tests import COURSE, sign_in
from playwright.sync_api import expect

from bioskills.courses.package import read_course

pytestmark = [pytest.mark.ui, pytest.mark.integration]

FILES = read_course(COURSE)


def zipped(files: dict[str, bytes]) -> dict[str, object]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return {"name": "course.zip", "mimeType": "application/zip", "buffer": buffer.getvalue()}


def next_version() -> dict[str, bytes]:
    manifest = yaml.safe_load(FILES["course.yml"])
    manifest["version"] = "9.0.0"
    manifest["assignments"][0]["due_offset_days"] += 2
    return dict(FILES) | {"course.yml": yaml.safe_dump(manifest, sort_keys=False).encode()}


def upload(page, files: dict[str, bytes]) -> None:
    page.get_by_label("ZIP of the course folder").set_input_files(zipped(files))
    page.get_by_role("button", name="Upload and check").click()


def test_faults_then_report_then_installed(product, new_context):
    page = new_context().new_page()
    sign_in(page, product, "ina")
    page.wait_for_url("**/services/campus/**")
    page.get_by_role("link", name="Courses", exact=True).click()
    page.get_by_role("link", name="Courses and versions").click()
    expect(page.get_by_role("row").filter(has_text="demo-sequences-first-steps")).to_be_visible()

    upload(page, {path: content for path, content in FILES.items() if path != "LICENSE"})
    expect(page.get_by_role("alert")).to_contain_text("Nothing was taken")
    expect(page.get_by_role("row").filter(has_text="LICENSE")).to_be_visible()
    found = examine(page, "versions-faults")

    upload(page, next_version())
    page.get_by_role("heading", name="9.0.0", level=1).wait_for()
    expect(page.get_by_role("row").filter(has_text="days after the start")).to_be_visible()
    found += examine(page, "versions-report")
    page.get_by_role("button", name="Install version 9.0.0").click()
    expect(page.get_by_role("status")).to_contain_text("9.0.0 is installed")
    expect(page.get_by_role("row").filter(has_text="9.0.0")).to_contain_text("no run yet")
    found += examine(page, "versions-installed")
    assert found == []
