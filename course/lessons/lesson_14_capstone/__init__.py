"""Lesson 14, the capstone: a question, data and a model of one's own."""
