"""Build the project's images, push them, and move `latest`: `nox -s images -- build`.

`docker buildx bake` builds them from docker-compose.yml. Their tag is the commit's,
unless IMAGE_TAG is set.
"""

import argparse
import sys

from core.errors import PipelineError
from scripts import console
from scripts.ci.outputs import put
from scripts.images.build import OTHER_PLATFORMS, SERVICES, build, push
from scripts.images.release import combine, release
from scripts.stack import builds
from scripts.stack.settings import Settings, StackError, Variables


def main() -> int:
    """Run the command; return 0, 1 for a failure, 2 for a wrong use."""
    parser = _parser()
    arguments = parser.parse_args()
    services = _services(parser, getattr(arguments, "services", []))
    try:
        variables = _variables()
        match arguments.command:
            case "build":
                outputs = build(services, variables)
            case "push":
                outputs = push(services, variables, arguments.platform)
            case "combine":
                outputs = combine(variables)
            case _:
                outputs = release(variables)
        put(**outputs)
    except (StackError, PipelineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="images",
        description=console.first_line(__doc__),
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build_command = commands.add_parser("build", help="build images into the engine")
    push_command = commands.add_parser(
        "push",
        help="build images and push them, with provenance and an SBOM",
        allow_abbrev=False,
    )
    for command in (build_command, push_command):
        command.add_argument(
            "services", nargs="*", metavar="SERVICE", help=", ".join(SERVICES)
        )
    push_command.add_argument(
        "--platform",
        choices=OTHER_PLATFORMS,
        default="",
        help="build for this platform, and add it to the tag; `combine` joins them",
    )
    commands.add_parser(
        "combine", help="give this commit's tag the images of all pushed platforms"
    )
    commands.add_parser(
        "latest", help="move `latest` to this commit, unless it is at a newer one"
    )
    return parser


def _services(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
    """Return the services to build, all if none is named; exit for an unknown one."""
    # A workflow's matrix passes several as one argument.
    services = " ".join(arguments).split()
    if not services:
        return list(SERVICES)
    for service in services:
        if service not in SERVICES:
            choices = ", ".join(SERVICES)
            parser.error(f"{service}: no image is built for it; there are {choices}.")
    return services


def _variables() -> Variables:
    """Return the environment for Docker, with the images' names and labels."""
    settings = Settings.read()
    variables = builds.labels()
    variables |= settings.variables
    variables |= builds.names(settings)
    return variables


if __name__ == "__main__":
    sys.exit(console.run(main))
