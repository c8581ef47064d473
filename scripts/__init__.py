"""Small entry points for people, and the code behind the start scripts."""
