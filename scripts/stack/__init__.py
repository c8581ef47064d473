"""What the start scripts do, with Python's standard library alone: it runs before all
else.
"""
