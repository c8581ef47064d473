"""Two runs, versions or commits side by side: `pipeline diff A B`."""
