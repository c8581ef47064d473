"""Reading YAML files, with errors that name the file."""

from pathlib import Path
from typing import Any

import yaml

from core.errors import UsageError


def read_yaml(path: Path, name: str) -> Any:
    """Return the content of a YAML file.

    Args:
        path: the file.
        name: the file's name in error messages.

    Raises:
        UsageError: the file is not valid YAML.
    """
    return parse_yaml(path.read_text(encoding="utf-8"), name)


def parse_yaml(text: str, name: str) -> Any:
    """Return the content of YAML text; see `read_yaml`."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{name}: not valid YAML: {reason}.") from error
