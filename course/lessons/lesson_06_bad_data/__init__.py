"""Lesson 6: rows that must not be trained on."""
