"""Take passwords, tokens and keys out of a text before it is printed, logged or raised."""

import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

MASK = "***"

# Shorter values of variables are words like "true" or "main": masking them would mask
# the message.
_SHORTEST = 6
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|KEY$|_PAT$", re.IGNORECASE
)
_SECRETS = (
    re.compile(
        r"(?P<kept>)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE"
        r" KEY-----|\Z)",
        re.DOTALL,
    ),
    # An address that Git quotes: up to its last @, for a password may hold anything,
    # also a blank.
    re.compile(r"(?P<kept>'[a-z][a-z0-9+.-]*://)[^'\n]*(?=@)", re.IGNORECASE),
    # user:password@ or token@ before a host; the last @ before the path counts.
    re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]*://)[^\s/?#]*(?=@)", re.IGNORECASE),
    # The same with an unescaped / ? or # in the password; host:8080/a@b is none.
    re.compile(
        r"(?P<kept>\b[a-z][a-z0-9+.-]*://)[^\s/?#:@]+:(?!\d+[/?#])[^\s@]*(?=@)",
        re.IGNORECASE,
    ),
    # ?password=… &X-Amz-Signature=… in an address, password=… in a list of settings.
    re.compile(
        r"(?P<kept>\b[\w-]*(?:password|passwd|pwd|secret|token|signature|credential|api_?key)=)"
        r"[^\s&;,'\"]+",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<kept>\bauthorization:\s*(?:basic|bearer|token)\s+)[^\s'\"]+",
        re.IGNORECASE,
    ),
    # GitHub's, GitLab's, Hugging Face's and Amazon's tokens are known by their first
    # letters.
    re.compile(
        r"(?P<kept>)\b(?:gh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_\w{16,}"
        r"|AKIA[0-9A-Z]{16})"
    ),
)

# The same where the address is the whole text, so that it may contain blanks.
_USERS = (
    re.compile(r"\A(?P<kept>[a-z][a-z0-9+.-]*://)[^/?#]*(?=@)", re.IGNORECASE),
    re.compile(
        r"\A(?P<kept>[a-z][a-z0-9+.-]*://)[^/?#:@]+:(?!\d+[/?#]).*(?=@)",
        re.IGNORECASE | re.DOTALL,
    ),
)


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a text with `***` in place of every secret of an address, setting or
    header in it.

    The values of variables whose names say that they are secret are masked wherever
    they stand.

    Args:
        environment: the variables to look at; those of this process if None.
    """
    for value in _values(os.environ if environment is None else environment):
        text = text.replace(value, MASK)
    for secret in _SECRETS:
        text = secret.sub(rf"\g<kept>{MASK}", text)
    return text


def redact_address(address: str, environment: Mapping[str, str] | None = None) -> str:
    """Return an address with `***` in place of every secret in it.

    In a longer text a blank ends an address; here it may be a part of the password.

    Args:
        address: the address, and no other text.
        environment: see `redact`.
    """
    for user in _USERS:
        address = user.sub(rf"\g<kept>{MASK}", address)
    return redact(address, environment)


def _values(environment: Mapping[str, str]) -> Iterable[str]:
    """Return the values of secret variables, the longest first, also as an address has
    them.
    """
    secrets = set()
    for name, value in environment.items():
        value = value.strip()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST:
            secrets |= {
                value,
                quote(value, safe=""),
                quote(value),
                quote_plus(value),
            }
    return sorted(secrets, key=len, reverse=True)
