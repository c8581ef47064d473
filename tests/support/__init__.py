"""What the tests share: factories, servers of their own, rules."""
