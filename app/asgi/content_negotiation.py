"""What a client prefers to get, by its header `Accept` (RFC 9110, section 12.5.1)."""

from starlette.datastructures import Headers

HTML = "text/html"
JSON = "application/json"
ANYTHING = "*/*"


def prefers_html(headers: Headers) -> bool:
    """Return whether HTML is preferred to JSON, as browsers do; a tie means JSON."""
    ranges = _parse(", ".join(headers.getlist("accept")))
    return _quality(ranges, HTML) > _quality(ranges, JSON)


def _parse(accept: str) -> dict[str, float]:
    """Return the quality of each media range, such as `text/*`."""
    ranges: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = part.split(";")
        ranges[name.strip()] = _weight(parameters)
    return ranges


def _weight(parameters: list[str]) -> float:
    """Return the parameter `q`: 1 if it is missing, 0 if it is not a number."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _quality(ranges: dict[str, float], media_type: str) -> float:
    """Return the quality of a media type: that of the narrowest range it is in."""
    kind = media_type.partition("/")[0]
    for name in (media_type, f"{kind}/*", ANYTHING):
        if name in ranges:
            return ranges[name]
    return 0.0
