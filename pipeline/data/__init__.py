"""Where a task's rows come from, and the proof that they are fit to train on."""
