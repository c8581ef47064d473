"""Train, judge, record and publish models; Git is where all of it is kept."""
