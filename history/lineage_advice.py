"""Sentences about commits that changed the history, and how to undo that."""

from history.location import Location

SHORT = 12  # digits of a commit's ID, as they are shown


class Advice:
    """Describes what is wrong with a file that is written once, after the file's name."""

    def __init__(self, location: Location) -> None:
        self._location = location

    def changed(
        self,
        path: str,
        commit: str,
        source: str | None,
        blob: str,
    ) -> str:
        """Describe a change by a commit; `source` is a commit with the original."""
        change = f"was changed in commit {commit[:SHORT]}"
        if source is None:
            return f"{change}: its original is the object {blob} in Git"
        command = f"git restore --source={source} {path}"
        return f"{change}: `{command}` brings the original back"

    def another(self, commit: str) -> str:
        """Describe a promotion by which a merge replaced this branch's own."""
        undo = self._undo(commit)
        return f"is another than this branch's own: commit {commit[:SHORT]} {undo}"

    def deleted(self, commit: str) -> str:
        """Describe a promotion that a commit deleted."""
        short = commit[:SHORT]
        return (
            f"was deleted in commit {short}; promotions are kept for ever: `git revert"
            f" {short}` brings it back; {self._location.project.promote_advice}"
        )

    def promoted_elsewhere(
        self,
        added_by: str,
        version: str,
        merged_by: str,
    ) -> str:
        """Describe a promotion that follows another version than the one here."""
        return (
            f"was made elsewhere (commit {added_by[:SHORT]}), after another version"
            f" {version} than the one here: commit {merged_by[:SHORT]}"
            f" {self._undo(merged_by)}"
        )

    def _undo(self, commit: str) -> str:
        root = self._location.root
        folders = []
        for name in self._location.owned:
            if (root / name).exists():
                folders.append(name)
        source = f"{commit[:SHORT]}~1"
        command = (
            f"git restore --source={source} --staged --worktree {' '.join(folders)}"
        )
        return (
            f"merged two histories. `{command}` brings this one's own back (commit"
            f" first what is new); commit that, and {self._location.project.merge_advice}"
        )
