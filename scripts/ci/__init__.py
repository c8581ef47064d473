"""What the workflows call: standard library only."""
