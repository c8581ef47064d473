"""The instruments that look at what a copy does, each without running it in this process."""
