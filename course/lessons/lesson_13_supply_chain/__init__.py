"""Lesson 13: a workflow and a package that nobody can exchange unseen."""
