"""Take passwords, tokens and keys out of a text before it is printed, logged or raised."""

import re

MASK = "***"

_SECRETS = (
    # user:password@ or token@ before a host; the last @ before the path counts.
    re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]*://)[^\s/?#]*(?=@)", re.IGNORECASE),
    # The same with an unescaped / ? or # in the password; host:8080/a@b is none.
    re.compile(
        r"(?P<kept>\b[a-z][a-z0-9+.-]*://)[^\s/?#:@]+:(?!\d*[/?#])[^\s@]*(?=@)", re.IGNORECASE
    ),
    # ?password=… &X-Amz-Signature=… in an address, password=… in a list of settings.
    re.compile(
        r"(?P<kept>\b[\w-]*(?:password|passwd|pwd|secret|token|signature|credential|api_?key)=)"
        r"[^\s&;,'\"]+",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<kept>\bauthorization:\s*(?:basic|bearer|token)\s+)[^\s'\"]+", re.IGNORECASE),
)


def redact(text: str) -> str:
    """Return a text with `***` in place of every secret of an address, setting or header in it."""
    for secret in _SECRETS:
        text = secret.sub(rf"\g<kept>{MASK}", text)
    return text
