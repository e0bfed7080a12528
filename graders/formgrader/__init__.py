"""Serve nbgrader's formgrader for one run at a time, behind walls, to its instructors."""
