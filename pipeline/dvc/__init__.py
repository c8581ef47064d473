"""Tables that DVC keeps, and whether its files agree with the history."""
