"""Lesson 0: a copy of one's own."""
