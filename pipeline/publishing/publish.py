"""`pipeline publish`: the bundle's runs, judged against the tip's champions, as one commit."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import bundle as bundles
from pipeline import report, tasks
from pipeline.bundle import Bundle, Challenger
from pipeline.errors import PipelineError
from pipeline.files import sha256_file, write_atomic
from pipeline.git import git
from pipeline.history import layout, registry, runfile
from pipeline.publishing import serving
from pipeline.publishing.gate import Decision, judge
from pipeline.publishing.loop import Change, land, require_ancestor
from pipeline.publishing.record import check, next_promotion, record_promotion
from pipeline.repo import Repo
from pipeline.training.predict import OnnxModel

# The line by which the pipeline knows its own commits and does not answer them with another run.
TRAILER = "Mlops-Publish"
# The tags of a task's parent run that hold the gate's decision.
GATE = "gate"


@dataclass(frozen=True)
class Landed:
    """What a publish came to: the commit, and the gate's word on each task."""

    commit: str
    message: str
    tasks: dict[str, dict[str, str]]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


class Judge:
    """The gate for one bundle, asked once for each champion that the race brings up."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        self.folder, self.bundle = folder, bundle
        self._decide = cache(self._judge)

    def decide(self, tip: Repo, name: str) -> Decision:
        """Judge a task's challenger against the champion in service at the tip.

        Raises:
            PipelineError: the file in service is not what the registry says.
        """
        champion = registry.champion(tip.mlruns, name)
        if champion is None:
            return self._decide(name, None)
        served = tip.models / name / serving.MODEL
        if not served.is_file() or sha256_file(served) != champion.sha256:
            raise PipelineError(
                f"{served.relative_to(tip.root)} is not version {champion.version}, the champion "
                f"in the registry: run `pipeline promote {name} --version {champion.version}`."
            )
        return self._decide(name, served.read_bytes())

    def _judge(self, name: str, served: bytes | None) -> Decision:
        challenger = self.bundle.tasks[name].challenger
        if challenger is None:
            return Decision(False, "every candidate failed; see the runs", [])
        return judge(
            tasks.load(name),
            challenger,
            OnnxModel(self.model_folder(name, challenger) / serving.MODEL),
            OnnxModel(served) if served else None,
            pd.read_csv(self.folder / "holdout" / f"{name}.csv.gz", keep_default_na=False),
        )

    def model_folder(self, name: str, challenger: Challenger) -> Path:
        """Return where the bundle holds a challenger's files."""
        run = layout.run_folders(self.folder / "mlruns")[challenger.run_id]
        return run / layout.MODELS / challenger.model_id


def publish(repo: Repo, folder: Path, remote: str, branch: str) -> Landed:
    """Publish the bundle in `folder` to a remote's branch.

    Calling it again after a landing, or after a kill, finds the commit and changes nothing.

    Raises:
        PipelineError: see `loop.land`; also a bundle that is damaged, or was trained on changes
            that are in no commit.
    """
    bundle = bundles.read(folder)
    if bundle.dirty:
        raise PipelineError(
            f"the bundle was trained on changes that are in no commit ({', '.join(bundle.dirty)}): "
            "commit and push them, then train again."
        )
    gate = Judge(folder, bundle)
    landed: list[Landed] = []

    def change(tip: Repo) -> Change:
        commit = _landed_before(tip, bundle)
        if not commit:
            require_ancestor(tip.root, bundle.commit, "the bundle")
            _apply(tip, folder, bundle, gate)
        gates = {name: _gate_tags(tip, result.parent_run) for name, result in bundle.tasks.items()}
        text = git(tip.root, "log", "-1", "--format=%B", commit) if commit else ""
        text = text or _message(tip, bundle, gates)
        landed[:] = [Landed("", text, gates)]
        return Change(text, commit)

    commit = land(repo, remote, branch, change)
    return replace(landed[0], commit=commit)


def _landed_before(tip: Repo, bundle: Bundle) -> str | None:
    """Return the commit that brought this bundle's runs, if one did."""
    run_id = next(iter(bundle.tasks.values())).parent_run
    folder = layout.run_folders(tip.mlruns).get(run_id)
    if folder is None:
        return None
    return git(tip.root, "log", "-1", "--format=%H", "--diff-filter=A", "--", str(folder))


def _apply(tip: Repo, folder: Path, bundle: Bundle, gate: Judge) -> None:
    """Write into a checkout of the tip all that this bundle means for it."""
    for snapshot in (folder / "data").glob("*.csv.gz"):
        write_atomic(tip.data / snapshot.name, snapshot.read_bytes())
    sources = layout.run_folders(folder / "mlruns")
    for name, result in bundle.tasks.items():
        decision = gate.decide(tip, name)
        for run_id in result.run_ids:
            _record(tip, sources[run_id], decision if run_id == result.parent_run else None)
        if decision.promote and result.challenger:
            entry = next_promotion(
                tip,
                name,
                result.challenger,
                bundle.commit,
                "gate",
                decision.reason,
                decision.checks,
            )
            record_promotion(tip, entry, gate.model_folder(name, result.challenger))
    report.write(tip)
    runs = [run_id for result in bundle.tasks.values() for run_id in result.run_ids]
    check(tip, runs)


def _record(tip: Repo, source: Path, decision: Decision | None) -> None:
    """Copy a run into the history, less its models; a task's parent run keeps the decision."""
    run = runfile.load(source / layout.RUN_FILE)
    if decision:
        verdict = "promoted" if decision.promote else "refused"
        checks = json.dumps([check.model_dump() for check in decision.checks])
        tags = {GATE: verdict, f"{GATE}.reason": decision.reason, f"{GATE}.checks": checks}
        run = run.model_copy(update={"tags": run.tags | tags})
    target = layout.day_folder(tip.mlruns, run.experiment, run.started) / run.run_id
    if (source / layout.ARTIFACTS).is_dir():
        shutil.copytree(source / layout.ARTIFACTS, target / layout.ARTIFACTS)
    write_atomic(target / layout.RUN_FILE, runfile.dump(run))


def _gate_tags(tip: Repo, parent_run: str) -> dict[str, str]:
    """Return the decision that a task's parent run carries."""
    folder = layout.run_folders(tip.mlruns)[parent_run]
    tags = runfile.load(folder / layout.RUN_FILE).tags
    return {key: value for key, value in tags.items() if key.startswith(GATE)}


def _message(tip: Repo, bundle: Bundle, gates: dict[str, dict[str, str]]) -> str:
    """Say in the first line what was promoted and what stays; then why; then the evidence."""
    words, reasons, trailers = [], [], [f"{TRAILER}: {bundle.commit}"]
    for name, result in bundle.tasks.items():
        champion = registry.champion(tip.mlruns, name)
        version = f"{name} v{champion.version}" if champion else f"{name} has no champion"
        promoted = gates[name][GATE] == "promoted"
        words.append(f"{version} promoted" if promoted else f"{version} stays")
        reasons.append(f"- {name} {gates[name][GATE]}: {gates[name][f'{GATE}.reason']}")
        trailers.append(f"Mlops-Runs: {name} {' '.join(result.run_ids)}")
        trailers.append(f"Mlops-Data: {name} sha256:{result.data_digest}")
        if result.challenger:
            trailers.append(f"Mlops-Challenger: {name} sha256:{result.challenger.sha256}")
        if champion:
            trailers.append(f"Mlops-Champion: {name} sha256:{champion.sha256}")
    return "\n".join([f"chore(publish): {', '.join(words)}", "", *reasons, "", *trailers, ""])
