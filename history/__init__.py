"""Every MLflow run as text in Git, and the database that is derived from it."""
