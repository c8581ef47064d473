"""The history as tables and pictures that are readable without a server."""
