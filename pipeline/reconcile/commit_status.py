"""The state of a release on this machine, as a commit status on GitHub."""

from core import release
from core.errors import PipelineError
from pipeline import github_api
from pipeline.reconcile import access
from pipeline.reconcile.reconciler import Outcome, Pass

# GitHub's limit.
MOST_CHARACTERS = 140
STATES = {
    Outcome.APPLIED: "success",
    Outcome.IN_SYNC: "success",
    Outcome.NOT_SERVED: "failure",
    Outcome.REFUSED: "failure",
    Outcome.FAILED: "failure",
    Outcome.API_AWAY: "pending",
}


class CommitStatus:
    """The status of the commits that declare releases, under one name.

    Attributes:
        context: the name, which tells the status from those of other machines.
    """

    def __init__(self, repository: str, token: str) -> None:
        """Describe where the status goes.

        Args:
            repository: the repository on GitHub, `owner/name`.
            token: a token that may write commit statuses.
        """
        self.context = f"release ({release.environment()})"
        self._repository = repository
        self._token = token
        self._reported = ("", "")

    @classmethod
    def of(cls, address: str) -> "CommitStatus | None":
        """Return the status for an address; None without a token, or elsewhere."""
        match = github_api.ADDRESS.fullmatch(address)
        token = access.token()
        if not match or not token:
            return None
        return cls(match["repository"], token)

    def report(self, result: Pass) -> None:
        """Send the state of a pass, unless it is the one that was sent last.

        Raises:
            PipelineError: GitHub refuses, or cannot be reached; the next pass tries
                again.
        """
        state = STATES.get(result.outcome)
        if not result.commit or state is None:
            return
        news = (result.commit, state)
        if news == self._reported:
            return
        body = {
            "state": state,
            "context": self.context,
            "description": result.text[:MOST_CHARACTERS],
        }
        path = f"/statuses/{result.commit}"
        try:
            github_api.ask(self._token, self._repository, path, body)
        except PipelineError as error:
            raise PipelineError(f"the commit status is not set: {error}") from error
        self._reported = news
