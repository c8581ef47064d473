"""Backs up what Git does not hold, while the stack runs, and restores it."""
