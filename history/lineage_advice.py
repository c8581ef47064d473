"""Sentences about commits that changed the history, and how to undo that."""

from history.location import Location

SHORT = 12  # digits of a commit's ID, as they are shown


class Advice:
    """Words what is wrong with a file that is written once; each text follows its name."""

    def __init__(self, location: Location) -> None:
        self._location = location

    def changed(self, path: str, commit: str, source: str | None, blob: str) -> str:
        """Word a change that a commit made; `source` is a commit with the original."""
        change = f"was changed in commit {commit[:SHORT]}"
        if source is None:
            return f"{change}: its original is the object {blob} in Git"
        command = f"git restore --source={source} {path}"
        return f"{change}: `{command}` brings the original back"

    def another(self, commit: str) -> str:
        """Word a promotion that a merge put in the place of this branch's own."""
        undo = self._undo(commit)
        return f"is another than this branch's own: commit {commit[:SHORT]} {undo}"

    def deleted(self, commit: str) -> str:
        """Word a promotion that a commit deleted."""
        short = commit[:SHORT]
        return (
            f"was deleted in commit {short}; promotions are kept for ever: `git revert"
            f" {short}` brings it back; {self._location.project.promote_advice}"
        )

    def made_elsewhere(self, made: str, version: str, brought: str) -> str:
        """Word a promotion that follows another version than the one here."""
        return (
            f"was made elsewhere (commit {made[:SHORT]}), after another version"
            f" {version} than the one here: commit {brought[:SHORT]}"
            f" {self._undo(brought)}"
        )

    def _undo(self, commit: str) -> str:
        root = self._location.root
        owned = self._location.owned
        folders = " ".join(name for name in owned if (root / name).exists())
        command = (
            f"git restore --source={commit[:SHORT]}~1 --staged --worktree {folders}"
        )
        return (
            f"merged two histories. `{command}` brings this one's own back (commit"
            f" first what is new); commit that, and {self._location.project.merge_advice}"
        )
