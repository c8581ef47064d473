"""YAML of students, read as data: bounded, without aliases, which can grow without end."""

from typing import Any

import yaml

from core.errors import PipelineError

MOST_CHARACTERS = 200_000


class _Loader(yaml.SafeLoader):
    """A loader that refuses aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node, unless it repeats another one."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has aliases (*name), which are not read here")
        return super().compose_node(parent, index)


def read(text: str, where: str) -> Any:
    """Return the content of a YAML text.

    Raises:
        PipelineError: it is too long, has aliases or is not YAML.
    """
    if len(text) > MOST_CHARACTERS:
        raise PipelineError(f"{where} is too long: {len(text):,} characters.")
    try:
        return yaml.load(text, _Loader)  # nosec: a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise PipelineError(f"{where} cannot be read: {reason}.") from error


def mapping(text: str, where: str) -> dict[str, Any]:
    """Return the content of a YAML text that has keys and values.

    Raises:
        PipelineError: it cannot be read, or is something else.
    """
    content = read(text, where)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PipelineError(f"{where} has no keys with values.")
    return {str(key): value for key, value in content.items()}
