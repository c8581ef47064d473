"""Requests to a registry without a login."""

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
# A registry's answers about hidden images; some registries call them missing.
HIDDEN = (401, 403, 404)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def can_pull(image: str, reference: str) -> bool:
    """Return whether an image can be pulled without a login, by its tag or digest.

    Raises:
        StackError: the registry does not answer, or fails.
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
        organization: the owner is an organisation, not a person.
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
    # Registries require a token even without a login, and name the server that gives
    # it to everybody.
    parameters = dict(_PARAMETER.findall(challenge))
    if "realm" not in parameters:
        return False
    try:
        return _read(address, _token(parameters))
    except urllib.error.HTTPError as error:
        if error.code not in HIDDEN:
            raise
        return False


def _token(parameters: dict[str, str]) -> str:
    """Return a token from the server that a registry's challenge names."""
    query: dict[str, str] = {}
    for key in ("service", "scope"):
        if key in parameters:
            query[key] = parameters[key]
    address = f"{parameters['realm']}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(address, timeout=SECONDS) as response:
        answer = json.load(response)
    token: str = answer.get("token") or answer.get("access_token", "")
    return token


def _read(address: str, token: str = "") -> bool:
    headers = {"Accept": ", ".join(KINDS)}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=SECONDS):
        return True


def _scheme(registry: str) -> str:
    """Return the scheme; Docker uses no encryption for registries on this machine."""
    host = registry.rpartition(":")[0] or registry
    if host in ("localhost", "127.0.0.1"):
        return "http"
    return "https"
