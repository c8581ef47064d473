"""The challengers that a champion met are counted in the history of the branch."""

from core.git import git
from history import History, registry
from pipeline.publish.earlier_challengers import compared
from pipeline.repo import Repo
from pipeline.report import day_summaries
from tests.support import factories
from tests.support.publishing_team import BETTER, GOOD, WORSE, Team


def challengers(repo: Repo) -> set[str]:
    """Return the challengers that the champion of housing met."""
    champion = registry.champion(repo.mlruns, "housing")
    assert champion
    history = History.open(repo.mlruns)
    return compared(history, champion, day_summaries.folder(repo))


def publish(team: Team, name: str, noise: float, seed: int) -> str:
    """Publish a challenger for housing and return the commit's message."""
    folder = team.repo.build / name
    commit = git(team.repo.root, "rev-parse", "HEAD")
    factories.bundle(folder, commit, {"housing": noise}, seed)
    _, message = team.publish_bundle(folder)
    return message


def test_a_challenger_counts_once_and_until_the_next_promotion(team: Team) -> None:
    publish(team, "first", GOOD, seed=1)
    publish(team, "worse", WORSE, seed=3)
    met = challengers(team.origin)
    assert len(met) == 1
    publish(team, "again", WORSE, seed=3)  # another run with the same file
    assert challengers(team.origin) == met
    message = publish(team, "better", BETTER, seed=2)
    assert "housing v2 promoted" in message
    assert "the level for challenger 2 of this champion" in message
    assert challengers(team.origin) == set()
