"""Asking a registry for images as somebody does who has not logged in."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request

from scripts.stack.settings import StackError

SECONDS = 30
KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# What a registry says of what it does not show to everybody; some call it missing.
HIDDEN = (401, 403, 404)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def can_pull(image: str, reference: str) -> bool:
    """Tell whether anybody can pull an image, by its tag or digest.

    Raises:
        StackError: the registry does not answer, or with a fault of its own.
    """
    registry, _, name = image.partition("/")
    address = f"{_scheme(registry)}://{registry}/v2/{name}/manifests/{reference}"
    try:
        return _is_shown(address)
    except OSError as error:
        raise StackError(
            f"{registry} does not say whether {image} is public: {error}."
        ) from error


def settings_page(image: str, repository: str, organization: bool) -> str:
    """Return the page on GitHub where a package of GHCR is made public.

    Args:
        repository: OWNER/NAME, as GitHub spells it.
        organization: the owner is an organisation, and no person.
    """
    owner = repository.partition("/")[0]
    package = image.split("/", 2)[2].replace("/", "%2F")
    kind = "orgs" if organization else "users"
    return f"https://github.com/{kind}/{owner}/packages/container/{package}/settings"


def _is_shown(address: str) -> bool:
    try:
        return _read(address)
    except urllib.error.HTTPError as error:
        if error.code not in HIDDEN:
            raise
        challenge = error.headers.get("WWW-Authenticate", "")
    # Registries want a token even of those who are nobody, and say where it is given
    # out.
    parameters = dict(_PARAMETER.findall(challenge))
    if "realm" not in parameters:
        return False
    asked = urllib.parse.urlencode(
        {key: parameters[key] for key in ("service", "scope") if key in parameters}
    )
    try:
        with urllib.request.urlopen(
            f"{parameters['realm']}?{asked}", timeout=SECONDS
        ) as answer:
            given = json.load(answer)
        return _read(address, given.get("token") or given.get("access_token", ""))
    except urllib.error.HTTPError as error:
        if error.code not in HIDDEN:
            raise
        return False


def _read(address: str, token: str = "") -> bool:
    headers = {"Accept": ", ".join(KINDS)}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=SECONDS):
        return True


def _scheme(registry: str) -> str:
    """Docker speaks to the registries of this machine without encryption."""
    host = registry.rpartition(":")[0] or registry
    return "http" if host in ("localhost", "127.0.0.1") else "https"
