"""Lessonroom: hints for teachers and a screened chat for one-to-one online lessons."""

__version__ = "0.1.0"
