"""The command `pipeline promote-release`."""

from typing import Annotated

import typer

from pipeline.repo import Repo


def promote_release(
    context: typer.Context,
    environment: Annotated[
        str,
        typer.Argument(metavar="ENVIRONMENT", help="Such as production."),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ENVIRONMENT",
            help="Where the release comes from.",
            show_default="the default branch",
        ),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT",
            help="The commit that declares it.",
            show_default="the newest release",
        ),
    ] = None,
    remote: Annotated[str, typer.Option(help="The remote to push to.")] = "origin",
) -> None:
    """Propose a release for an environment, by a pull request to its branch."""
    from pipeline.release import pull_request
    from pipeline.release.promotion import promote

    repo: Repo = context.obj
    promotion = promote(repo, environment, source, release, remote)
    print(promotion.text)
    if promotion.head:
        print(pull_request.request(repo, promotion, remote))
    else:
        print(f"Created the branch {promotion.branch}, which machines can follow.")
