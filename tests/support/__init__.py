"""Helpers that tests share: factories, servers, rules."""
