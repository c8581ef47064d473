"""Training on a cluster of machines: a Dask scheduler, and workers with our code.

`settings.py` reads the scheduler's address, `check.py` looks at the cluster before a
training, `dask_backend.py` sends the units of work there and collects their results.
`python -m pipeline.cluster` starts the scheduler or a worker.
"""
