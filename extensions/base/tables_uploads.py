"""The table of uploaded course versions.

Law: an upload is kept only where it passed the check; installing it adds a version and
changes no other.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class CourseUpload(Base):
    """A course that somebody uploaded, with the report of its check; its ZIP is an object."""

    __tablename__ = "course_upload"
    id: Mapped[int] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(String(64), index=True)
    version: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    row: Mapped[dict[str, Any]]  # manifest, mapping, notes, as course_version will hold them
    findings: Mapped[list[Any]]  # warnings of the check
    compared_with: Mapped[int | None] = mapped_column(ForeignKey("course_version.id"))
    differences: Mapped[list[Any]]  # [sign, subject, detail]
    by: Mapped[str] = mapped_column(String(16))  # pseudonym
    at: Mapped[datetime] = mapped_column(default=now)
    installed_at: Mapped[datetime | None]
    installed_by: Mapped[str | None] = mapped_column(String(16))
