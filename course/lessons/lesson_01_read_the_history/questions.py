"""The personal questions of lesson 1, and their answers from the history itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from course.copy import Copy
from course.grading import predict, reproduce
from course.grading.result import Red

MODEL = "model.onnx"
Run = dict[str, Any]


@dataclass(frozen=True)
class Promotion:
    """A model that was promoted: its task and the entry of the registry."""

    task: str
    entry: dict[str, Any]

    @property
    def name(self) -> str:
        """The task and the version, such as `iris v2`."""
        return f"{self.task} v{self.entry['version']}"


@lru_cache(maxsize=1)
def of(copy: Copy) -> "Questions":
    """Return the questions of a copy, which several checks ask for."""
    return Questions(copy)


class Questions:
    """The questions of a student, about the history with which the course began."""

    def __init__(self, copy: Copy) -> None:
        """Read the history of the commit in which the course began.

        Raises:
            Red: there is no such commit, or it has no runs.
        """
        if not copy.started:
            raise Red("the course has not begun in this copy", "lesson 0 is done")
        self._copy = copy
        self._commit = copy.started
        self._draw = copy.personal
        if not self.runs:
            raise Red(
                "the copy had no runs when the course began",
                "the runs of the template",
                "Begin with a new copy of the template.",
            )

    @cached_property
    def paths(self) -> list[str]:
        """The files of the history."""
        return self._copy.paths("mlruns", self._commit)

    @cached_property
    def runs(self) -> list[Run]:
        """All runs, in the order of their paths."""
        names = [path for path in self.paths if path.endswith("/run.json")]
        return self._copy.jsons(names, self._commit)

    @cached_property
    def promotions(self) -> list[Promotion]:
        """All promotions."""
        names = [path for path in self.paths if path.startswith("mlruns/registry/")]
        entries = self._copy.jsons(names, self._commit)
        pairs = zip(names, entries, strict=True)
        return [Promotion(name.split("/")[2], entry) for name, entry in pairs]

    @cached_property
    def run(self) -> Promotion:
        """The promotion whose run is asked for."""
        return self._draw.choose("lesson 1 run", self.promotions)

    @cached_property
    def algorithm(self) -> Run:
        """The training whose challenger is asked for."""
        return self._draw.choose("lesson 1 algorithm", self._trainings)

    @cached_property
    def refused(self) -> Run:
        """The refused training whose failed checks are asked for."""
        refused = [run for run in self._trainings if run["tags"]["gate"] == "refused"]
        return self._draw.choose("lesson 1 refused", refused)

    @cached_property
    def compared(self) -> tuple[Run, Run, str]:
        """Two candidates of a training, and the metric whose difference is asked for."""
        training = self._draw.choose("lesson 1 compared", self._trainings)
        children = []
        for run in self.runs:
            if run["parent"] == training["run_id"] and run["status"] == "FINISHED":
                children.append(run)
        one, other = self._draw.sample("lesson 1 candidates", children, 2)
        names = set(one["metrics"]).intersection(other["metrics"])
        metrics = sorted(name for name in names if name.startswith("holdout_"))
        return one, other, self._draw.choose("lesson 1 metric", metrics)

    @cached_property
    def _trainings(self) -> list[Run]:
        return [run for run in self.runs if "gate.checks" in run["tags"]]

    @cached_property
    def spoilt(self) -> str:
        """The file of the history that is altered in the spoilt copy."""
        guarded = [path for path in self.paths if "/artifacts/" in path]
        return self._draw.choose("lesson 1 spoilt", guarded)

    def alter(self, content: bytes) -> bytes:
        """Return the content of the spoilt file with a bit of one byte turned."""
        altered = bytearray(content)
        place = self._draw.number("lesson 1 byte", 0, len(content) - 1)
        altered[place] ^= 1
        return bytes(altered)

    @cached_property
    def served(self) -> Promotion:
        """The promotion whose model is asked: the newest of a task."""
        newest: dict[str, Promotion] = {}
        for each in self.promotions:
            other = newest.get(each.task)
            if other is None or each.entry["version"] > other.entry["version"]:
                newest[each.task] = each
        return self._draw.choose("lesson 1 served", list(newest.values()))

    @cached_property
    def row(self) -> dict[str, Any]:
        """The row that it is asked about: near the middle of each feature's range."""
        row: dict[str, Any] = {}
        for feature in self._manifest["features"]:
            row[feature["name"]] = self._value(feature)
        return row

    def _value(self, feature: dict[str, Any]) -> float | str:
        purpose = f"lesson 1 row {feature['name']}"
        if feature["categories"]:
            return str(self._draw.choose(purpose, feature["categories"]))
        share = self._draw.number(purpose, 90, 110) / 100
        value = round(float(feature["example"]) * share, 2)
        return min(max(value, float(feature["low"])), float(feature["high"]))

    @property
    def _manifest(self) -> dict[str, Any]:
        folder = f"deployment/models/{self.served.task}"
        return self._copy.json(f"{folder}/manifest.json", self._commit)

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The right answers."""
        one, other, metric = self.compared
        difference = _metric(one, metric) - _metric(other, metric)
        return {
            "run": self.run.entry["run_id"],
            "algorithm": reproduce.decision(self.algorithm).algorithm,
            "refused": list(reproduce.decision(self.refused).failed),
            "difference": round(difference, 6),
            "spoilt": self.spoilt,
            "prediction": round(self._prediction(), 6),
        }

    def _prediction(self) -> float:
        """Return the prediction, or the probability of the last class."""
        path = f"deployment/models/{self.served.task}/{MODEL}"
        model = self._copy.content(path, self._commit)
        return predict.predict(model, [self.row])[0][-1]


def _metric(run: Run, name: str) -> float:
    values: Sequence[Sequence[float]] = run["metrics"][name]
    return float(values[-1][0])
