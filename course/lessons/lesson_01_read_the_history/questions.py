"""The personal questions of lesson 1, and their answers from the history itself."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from course.copy import Copy
from course.grading import predict, reproduce
from course.grading.result import Red

MODEL = "model.onnx"
Content = dict[str, Any]
# What `run.json` has.
Run = Content


@dataclass(frozen=True)
class Promotion:
    """A model that was promoted: its task and the entry of the registry."""

    task: str
    entry: Content

    @property
    def version(self) -> int:
        """The version, from 1."""
        return int(self.entry["version"])

    @property
    def name(self) -> str:
        """The task and the version, such as `iris v2`."""
        return f"{self.task} v{self.version}"


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
        promotions = []
        for name, entry in zip(names, entries, strict=True):
            task = name.split("/")[2]
            promotions.append(Promotion(task, entry))
        return promotions

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
        candidates = self._candidates(training)
        one, other = self._draw.sample("lesson 1 candidates", candidates, 2)
        common = one["metrics"].keys() & other["metrics"].keys()
        metrics = sorted(name for name in common if name.startswith("holdout_"))
        metric = self._draw.choose("lesson 1 metric", metrics)
        return one, other, metric

    def _candidates(self, training: Run) -> list[Run]:
        """Return the runs of the candidates of a training that finished."""
        candidates = []
        for run in self.runs:
            is_of_it = run["parent"] == training["run_id"]
            if is_of_it and run["status"] == "FINISHED":
                candidates.append(run)
        return candidates

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
            if other is None or each.version > other.version:
                newest[each.task] = each
        return self._draw.choose("lesson 1 served", list(newest.values()))

    @cached_property
    def row(self) -> Content:
        """The row that it is asked about: near the middle of each feature's range."""
        row: Content = {}
        for feature in self._manifest["features"]:
            name = feature["name"]
            row[name] = self._value(feature, f"lesson 1 row {name}")
        return row

    def _value(self, feature: Content, purpose: str) -> float | str:
        """Return a category, or a number within a tenth of the feature's example."""
        if feature["categories"]:
            return str(self._draw.choose(purpose, feature["categories"]))
        share = self._draw.number(purpose, 90, 110) / 100
        value = round(float(feature["example"]) * share, 2)
        low = float(feature["low"])
        high = float(feature["high"])
        return min(max(value, low), high)

    @property
    def _manifest(self) -> Content:
        folder = f"deployment/models/{self.served.task}"
        return self._copy.json(f"{folder}/manifest.json", self._commit)

    @cached_property
    def answers(self) -> Content:
        """The right answers."""
        trained = reproduce.decision(self.algorithm)
        refused = reproduce.decision(self.refused)
        one, other, metric = self.compared
        difference = _metric(one, metric) - _metric(other, metric)
        return {
            "run": self.run.entry["run_id"],
            "algorithm": trained.algorithm,
            "refused": list(refused.failed),
            "difference": round(difference, 6),
            "spoilt": self.spoilt,
            "prediction": round(self._prediction(), 6),
        }

    def _prediction(self) -> float:
        """Return the prediction, or the probability of the last class."""
        path = f"deployment/models/{self.served.task}/{MODEL}"
        model = self._copy.content(path, self._commit)
        (numbers,) = predict.predict(model, [self.row])
        return numbers[-1]


def _metric(run: Run, name: str) -> float:
    """Return the last value of a metric, of which a run has value and step."""
    value, *_ = run["metrics"][name][-1]
    return float(value)
