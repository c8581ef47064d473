"""Lesson 1: reading the history of runs, decisions and models."""
