"""Lesson 8: new data that differ from the old, and a model that learns from them."""
