"""Lesson 2: how a model comes into service, and why another does not."""
