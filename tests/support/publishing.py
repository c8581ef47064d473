"""Changes to publish, and origins with something to publish to."""

from collections.abc import Callable
from pathlib import Path

from core.git import git
from pipeline.publish.loop import Change
from pipeline.repo import Repo
from tests.conftest import commit_all


def note(text: str) -> Callable[[Repo], Change]:
    """Return a change that writes a file of its own and counts in a shared one."""

    def change(tip: Repo) -> Change:
        tip.results.mkdir(exist_ok=True)
        own = tip.results / f"{text}.txt"
        own.write_text(text)
        shared = tip.results / "count"
        count = int(shared.read_text("utf-8")) if shared.exists() else 0
        shared.write_text(str(count + 1))
        return Change(f"chore: note {text}\n")

    return change


def show(origin: Path, path: str) -> str:
    """Return a file as it is on the origin's main branch."""
    return git(origin, "show", f"main:{path}")


def reject_pushes(origin: Path, message: str) -> None:
    """Let the origin reject every push with a message."""
    hook = origin / "hooks" / "pre-receive"
    script = f'#!/bin/sh\necho "{message}" >&2\nexit 1\n'
    hook.write_bytes(script.encode())
    hook.chmod(0o755)


def give_history(origin: Path) -> None:
    """Give the origin a run, a model and a page that a checkout may leave out."""
    git(origin, "config", "uploadpack.allowFilter", "true")
    seed = origin.parent / "seed"
    attributes = seed / ".gitattributes"
    attributes.write_text("mlruns/** -text\n* text=auto eol=lf\n")
    names = [
        "mlruns/iris/run.json",
        "deployment/models/iris/model.onnx",
        "docs/why.md",
    ]
    for name in names:
        path = seed / name
        path.parent.mkdir(parents=True)
        path.write_text("one\ntwo\n")
    commit_all(seed, "feat: a history")
    git(seed, "push", "--quiet", str(origin), "main")
