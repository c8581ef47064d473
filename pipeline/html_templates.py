"""The templates of the pages that the pipeline writes."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from core.counts import counted


def environment(package: str) -> Environment:
    """Return the environment for the templates of a package, which escapes all values.

    A value that a template names and nobody gives is an error.

    Args:
        package: the package with the folder `templates/`, such as `pipeline.site`.
    """
    templates = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["counted"] = counted
    return templates
