"""Lesson 9: back to an earlier model, without a rewritten history."""
