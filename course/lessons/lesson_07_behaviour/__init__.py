"""Lesson 7: tests of what a model does, which can fail."""
