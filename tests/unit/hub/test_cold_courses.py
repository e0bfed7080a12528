"""Which courses get kernels that start anew."""

from bioskills.base.store import Store
from bioskills.base.tables import CourseVersion
from bioskills.hub.cold_courses import ColdCourses
from bioskills.hub.fork_config import required


def version(course: str, number: str, **requires: object) -> CourseVersion:
    manifest = {"requires": requires} if requires else {}
    return CourseVersion(
        course=course, version=number, sha256=number, manifest=manifest, mapping={}, notes={}
    )


def test_the_admin_and_any_version_of_a_course_can_ask_for_cold_kernels(store: Store) -> None:
    with store.transaction() as session:
        session.add_all(
            [
                version("old", "1.0.0", kernel="cold"),
                version("old", "1.1.0", kernel="warm"),
                version("warm", "1.0.0", python=["biopython==1.88"]),
                version("bare", "1.0.0"),
            ]
        )

    assert ColdCourses(store, ("named",)).now() == ["named", "old"]
    assert ColdCourses(store, ()).now() == ["old"]


def test_what_is_imported_beforehand_is_what_installed_courses_require(store: Store) -> None:
    with store.transaction() as session:
        session.add_all(
            [
                version("one", "1.0.0", python=["pandas", "biopython==1.88"]),
                version("two", "1.0.0", python=["pandas"]),
                version("bare", "1.0.0"),
            ]
        )

    assert required(store.url) == ["biopython==1.88", "pandas"]
