"""Lesson 3: a candidate that the project does not ship."""
