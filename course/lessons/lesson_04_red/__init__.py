"""Lesson 4: a red push, and how it becomes green."""
