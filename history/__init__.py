"""MLflow runs as text in Git, and the MLflow database that is built from them.

    with History.open("mlruns") as history:
        import_runs("sqlite:///mlflow.db", history)
        champion = history.champion("iris")
    build_database(Path("mlruns"), Path("build/mlflow.db"))

The names in `__all__` are the public API; the modules below this package are not.
"""

from core.errors import PipelineError, UsageError
from history.build import Change, build_database
from history.faults import Fault
from history.history import History
from history.importer import import_runs
from history.location import Project
from history.record import Artifact
from history.registry import Check, Promotion
from history.runfile import Dataset, LoggedModel, ModelOutput, Run
from history.watch import watch

__all__ = [
    "Artifact",
    "Change",
    "Check",
    "Dataset",
    "Fault",
    "History",
    "LoggedModel",
    "ModelOutput",
    "PipelineError",
    "Project",
    "Promotion",
    "Run",
    "UsageError",
    "build_database",
    "import_runs",
    "watch",
]
