"""Lesson 11: a metric of one's own, and a panel that shows it."""
