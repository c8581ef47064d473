"""Lesson 12: two publications at once, and a test of what happens then."""
