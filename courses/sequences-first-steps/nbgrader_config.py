"""Plain nbgrader opens this course folder with these two settings."""

c = get_config()  # noqa: F821  (nbgrader provides it)
c.CourseDirectory.course_id = "sequences-first-steps"
c.CourseDirectory.source_directory = "assignments"
