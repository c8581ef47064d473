"""The rows of the table, a module a subject."""
