"""The project's images: they are built, pushed, and tagged `latest`."""
