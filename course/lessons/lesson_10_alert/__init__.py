"""Lesson 10: an alert, and cases that test it."""
