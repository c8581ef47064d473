"""From a bundle to a commit: the gate, the registry and the loop that lands them."""
