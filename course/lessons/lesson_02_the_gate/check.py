"""Checks of lesson 2: an empty start, a promotion, a refusal, and both made again."""

from core.counts import counted
from core.file_names import is_owned
from course.check import Check
from course.copy import Copy
from course.grading import history, reproduce
from course.grading.history import Publication
from course.grading.result import Red, Verdict, failed, passed

TASK = "iris"
SETTINGS = "params.yaml"
# What sets the limits of the gate, and what the candidates are: not part of this lesson.
FIXED = f"pipeline/tasks/{TASK}.yaml"
COURSE = "course/"
AGAINST_CHAMPION = "better than champion"


def promoted(copy: Copy) -> Publication:
    """Return the first publication that promoted a model.

    Raises:
        Red: there is none.
    """
    promotions = reproduce.promotions(copy, TASK)
    if not promotions:
        raise Red(f"no training of {TASK} was promoted since the course began")
    return promotions[0]


def refused(copy: Copy) -> Publication:
    """Return the first refusal after the promotion: the champion was better.

    Raises:
        Red: there is none.
    """
    promotion = promoted(copy)
    champion = reproduce.challenger_digest(promotion, TASK)
    publications = history.publications(copy)
    place = publications.index(promotion)
    for publication in publications[place + 1 :]:
        run = history.training(copy, publication, TASK)
        if run is None:
            continue
        is_other = reproduce.challenger_digest(publication, TASK) != champion
        if is_other and AGAINST_CHAMPION in reproduce.decision(run).failed:
            return publication
    raise Red("no other model was refused since then, because the champion is better")


class HistoryIsEmptied(Check):
    """Run `./scripts/nox.sh -s course -- pipeline init --empty`, then push."""

    name = "the history begins with your own runs"

    def run(self, copy: Copy) -> Verdict:
        """Look for runs with which the course began."""
        if not copy.started:
            return failed("the course has not begun in this copy", "lesson 0 is done")
        before = set(copy.paths("mlruns", copy.started))
        runs = [path for path in copy.paths("mlruns") if path.endswith("/run.json")]
        others = [path for path in runs if path in before]
        if others:
            left = counted(
                len(others), "run of the template is", "runs of the template are"
            )
            return failed(f"{left} still there")
        return passed("no run of the template is left")


class HistoryIsWhole(Check):
    """Leave the history to `pipeline publish`: it is written by nobody else."""

    name = "nobody but the pipeline wrote the history"
    requires = (HistoryIsEmptied,)

    def run(self, copy: Copy) -> Verdict:
        """Look at each commit and at each file."""
        history.require_append_only(copy)
        publications = history.publications(copy)
        for publication in publications:
            history.require_publication_is_whole(copy, publication)
        history.require_verified(copy)
        return passed(f"{len(publications)} publications")


class ModelIsPromoted(Check):
    """Raise `C` in `params.yaml`, commit, push, train, publish, until it is promoted."""

    name = "a model of yours came into service"
    requires = (HistoryIsWhole,)

    def run(self, copy: Copy) -> Verdict:
        """Look for a promotion."""
        publication = promoted(copy)
        changes = copy.git(
            "diff", "--name-only", copy.started, publication.source, "--", FIXED
        )
        if changes:
            return failed(
                f"{FIXED} was changed before {publication.source[:7]} was trained",
                "the limits of the template",
                f"Put it back: git checkout {copy.started[:7]} -- {FIXED}; begin again.",
            )
        return passed(f"published by {publication.commit[:7]}")


class ChampionIsMadeAgain(Check):
    """Train only what is committed and pushed, with the code of the template."""

    name = "the champion can be made again, byte by byte"
    requires = (ModelIsPromoted,)

    def run(self, copy: Copy) -> Verdict:
        """Train and decide once more."""
        again = reproduce.require_same(copy, promoted(copy), TASK)
        return passed(f"sha256 {again.sha256[:12]}")


class ModelIsRefused(Check):
    """Change one value in `params.yaml` so that the model is worse; publish it, too."""

    name = "the next model was refused, as the champion is better"
    requires = (ModelIsPromoted,)

    def run(self, copy: Copy) -> Verdict:
        """Look for a refusal, and for what led to it."""
        publication = refused(copy)
        changed = _changed(copy, promoted(copy), publication)
        if changed != [SETTINGS]:
            return failed(
                f"between both trainings these changed: {', '.join(changed)}",
                f"only {SETTINGS} differs, so that it is the reason",
            )
        return passed(f"published by {publication.commit[:7]}")


def _changed(copy: Copy, one: Publication, other: Publication) -> list[str]:
    """Return what people changed between two trainings, but for the course's files."""
    names = copy.git("diff", "--name-only", one.source, other.source)
    changed = []
    for name in names.splitlines():
        if not is_owned(name) and not name.startswith(COURSE):
            changed.append(name)
    return changed


class RefusalIsMadeAgain(Check):
    """Train only what is committed and pushed, with the code of the template."""

    name = "the gate decides the same about it once more"
    requires = (ModelIsRefused, ChampionIsMadeAgain)

    def run(self, copy: Copy) -> Verdict:
        """Train and decide once more."""
        again = reproduce.require_same(copy, refused(copy), TASK)
        return passed(f"refused: {', '.join(again.decision.failed)}")


CHECKS = (
    HistoryIsEmptied,
    HistoryIsWhole,
    ModelIsPromoted,
    ModelIsRefused,
    ChampionIsMadeAgain,
    RefusalIsMadeAgain,
)
