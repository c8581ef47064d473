"""Train, compare, record and publish models, all of them kept in Git."""
