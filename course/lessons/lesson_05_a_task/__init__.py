"""Lesson 5: a task of one's own, from a table to the API."""
