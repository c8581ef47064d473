"""The teacher's side: copies are collected, graded and compared."""
