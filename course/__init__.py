"""The course: lessons in which this repository is changed, and what checks them."""
