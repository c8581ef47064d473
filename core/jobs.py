"""The messages between the API and the worker: a request for a job, and the job."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

JobKind = Literal["load", "train", "retrain"]
JobStatus = Literal["queued", "running", "succeeded", "failed"]
Name = Annotated[str, Field(pattern=r"^\w*$", max_length=100)]
Record = dict[str, Any]


class JobRequest(BaseModel, extra="forbid"):
    """What a job is to do; each kind of job reads the fields that it needs.

    Attributes:
        task: the task to load or train; for "load" it may be empty with a `run_id`.
        version: the version to load, a number of the registry.
        run_id: the run to load.
        algorithm: the algorithm to train.
        parameters: its hyperparameters; without any, those of `params.yaml`.
        data: the rows to train on, by name or in the features' order.
        target: the target of each row.
        tasks: the tasks to retrain; all if it is empty.
        reason: why they are retrained.
        drift: whether an alert requests it, which may do so again and again.
    """

    kind: JobKind
    task: Name = ""
    version: int | None = None
    run_id: Name | None = None
    algorithm: Name = ""
    parameters: Record = {}
    data: list[Record] | list[list[Any]] | None = Field(None, min_length=1)
    target: list[Any] | None = None
    tasks: list[Name] = []
    reason: str = ""
    drift: bool = False


class Job(BaseModel):
    """A job of the worker."""

    id: str
    kind: JobKind
    status: JobStatus
    created: int = Field(description="Milliseconds since 1970, as all times here.")
    started: int | None = None
    ended: int | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


class JobRecord(Job):
    """A job as the worker keeps it, with what is not shown to the API's clients.

    Attributes:
        refused: whether it failed because its request cannot be fulfilled.
        drifted: the tasks of a retraining for drift, unless it has failed.
    """

    refused: bool = False
    drifted: list[str] = []
