"""The type of what the tests read from JSON and YAML."""

from typing import Any

Json = dict[str, Any]
