"""Grades to competence units."""
