"""The SBOM of a pushed image, read by Docker from a real registry.

Docker's built-in builder attaches none to an image, so the tests push what the builder
of the workflow would: an index with the image and its attestation.
"""

import hashlib
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.images.registry import sbom
from scripts.stack.settings import StackError
from tests.stack.release import Registry, started_registry

IMAGE = "mlops-api"
PACKAGES = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "onnxruntime"}]}
SPDX = "https://spdx.dev/Document"
OCI = "application/vnd.oci.image"
INDEX = f"{OCI}.index.v1+json"
MANIFEST = f"{OCI}.manifest.v1+json"
Descriptor = dict[str, Any]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with started_registry(tmp_path) as running:
        yield running


def root_of(registry: Registry) -> str:
    return f"http://{registry.address}/v2/{registry.repository}/{IMAGE}"


def send(method: str, address: str, content: bytes, media_type: str) -> str:
    """Send content to the registry; return the address that it answers with."""
    headers = {"Content-Type": media_type}
    request = urllib.request.Request(address, content, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.headers["Location"])


def describe(content: bytes, media_type: str) -> Descriptor:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {
        "mediaType": media_type,
        "digest": digest,
        "size": len(content),
    }


def push_blob(registry: Registry, value: Any, media_type: str) -> Descriptor:
    """Push a value as JSON; return its descriptor."""
    content = json.dumps(value).encode()
    descriptor = describe(content, media_type)
    upload = send("POST", f"{root_of(registry)}/blobs/uploads/", b"", media_type)
    separator = "&" if "?" in upload else "?"
    address = f"{upload}{separator}digest={descriptor['digest']}"
    send("PUT", address, content, "application/octet-stream")
    return descriptor


def push_manifest(
    registry: Registry, layers: list[Descriptor], system: str, machine: str
) -> Descriptor:
    """Push a manifest with its configuration; return its descriptor."""
    platform = {"os": system, "architecture": machine}
    config = push_blob(registry, platform, f"{OCI}.config.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": layers,
    }
    content = json.dumps(manifest).encode()
    descriptor = describe(content, MANIFEST)
    address = f"{root_of(registry)}/manifests/{descriptor['digest']}"
    send("PUT", address, content, MANIFEST)
    return descriptor | {"platform": platform}


def push_image(registry: Registry, machine: str, packages: Any) -> list[Descriptor]:
    """Push an image for a machine with its SBOM; return both descriptors."""
    image = push_manifest(registry, [], "linux", machine)
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": SPDX,
        "subject": [],
        "predicate": packages,
    }
    layer = push_blob(registry, statement, "application/vnd.in-toto+json")
    layer["annotations"] = {"in-toto.io/predicate-type": SPDX}
    attestation = push_manifest(registry, [layer], "unknown", "unknown")
    attestation["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image["digest"],
    }
    return [image, attestation]


def push_index(registry: Registry, manifests: list[Descriptor]) -> str:
    """Push an index of manifests; return the address with its digest."""
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": manifests,
    }
    content = json.dumps(index).encode()
    digest = describe(content, INDEX)["digest"]
    send("PUT", f"{root_of(registry)}/manifests/{digest}", content, INDEX)
    return f"{registry.name(IMAGE)}@{digest}"


def test_it_is_that_of_the_image(registry: Registry) -> None:
    address = push_index(registry, push_image(registry, "amd64", PACKAGES))
    assert json.loads(sbom(address, dict(os.environ))) == PACKAGES


def test_of_two_platforms_it_is_that_of_the_usual_one(registry: Registry) -> None:
    arm = push_image(registry, "arm64", PACKAGES | {"packages": []})
    address = push_index(registry, [*arm, *push_image(registry, "amd64", PACKAGES)])
    assert json.loads(sbom(address, dict(os.environ))) == PACKAGES


def test_an_image_without_one_is_refused_in_a_sentence(registry: Registry) -> None:
    image = push_manifest(registry, [], "linux", "amd64")
    address = push_index(registry, [image])
    with pytest.raises(StackError, match="has no SBOM: push it with a builder"):
        sbom(address, dict(os.environ))
