"""WHAT is taught: the course model, its package and the checks of a course.

Law: nothing here starts a kernel, talks to a network or imports nbgrader; a
course is data, read once and then only looked at.
"""
