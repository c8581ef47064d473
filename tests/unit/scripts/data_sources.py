"""A checkout with tasks whose data come from a web server, for the check of the data."""

from pathlib import Path

import pandas as pd
import yaml

from pipeline import tasks
from pipeline.data import table as tables
from pipeline.repo import Repo
from scripts import check_data, commands
from tests.support import strategies
from tests.support.web_servers import Server

IRIS = tasks.load("iris")
TABLE = strategies.table(IRIS, 150)
GROWN = strategies.table(IRIS, 160)
OLD = tables.digest(TABLE)
NEW = tables.digest(GROWN)
OLD_SHORT = f"{OLD[:8]}…"
NEW_SHORT = f"{NEW[:8]}…"
DIGESTS = f"sha256 {OLD_SHORT} → {NEW_SHORT}"
UNCHANGED = f"unchanged, 150 rows, sha256 {OLD_SHORT}"


class World:
    """A checkout, tasks whose sources are at a server, and the outputs for GitHub."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.repo = Repo(folder / "checkout")
        self.server = server
        self.tasks = folder / "tasks"
        self.output = folder / "output.txt"
        self.repo.root.mkdir()
        self.repo.params.touch()
        self.tasks.mkdir()

    def task(self, name: str, *places: str) -> None:
        """Describe a task like iris; its default source is `/<name>.csv`."""
        iris = Path(tasks.__file__).parent / "iris.yaml"
        described = yaml.safe_load(iris.read_text("utf-8"))
        if not places:
            places = (f"{self.server.url}/{name}.csv",)
        sources = []
        for place in places:
            source = {"place": place, "read": "tests.support.web_servers.read_csv"}
            sources.append(source)
        described["sources"] = sources
        described["digest"] = OLD
        file = self.tasks / f"{name}.yaml"
        file.write_text(yaml.safe_dump(described), "utf-8")

    def serve(self, name: str, table: pd.DataFrame) -> None:
        """Let the server answer with a table at `/<name>.csv`."""
        answer = (200, tables.to_csv(table))
        self.server.answers[f"/{name}.csv"] = [answer]

    def keep(self, name: str, table: pd.DataFrame) -> None:
        """Write the snapshot of a task's data in the repository."""
        snapshot = self.repo.data / f"{name}.csv.gz"
        tables.write(snapshot, table)

    def check(self, *options: str) -> int:
        arguments = ["--repo", str(self.repo.root), *options]
        return commands.run(check_data.main, arguments)

    def outputs(self) -> dict[str, str]:
        """Return the last check's outputs for GitHub."""
        text = self.output.read_text("utf-8")
        self.output.unlink()
        outputs = {}
        for line in text.splitlines():
            name, _, value = line.partition("=")
            outputs[name] = value
        return outputs

    def changed(self, *options: str) -> str:
        """Run a check that must succeed; return the tasks whose data have changed."""
        assert self.check(*options) == 0
        return self.outputs()["tasks"]
