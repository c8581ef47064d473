"""The lessons, a folder each: see `course.lesson`."""
