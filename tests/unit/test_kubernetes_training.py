"""The CronJob that trains in a cluster: its deploy key, its settings and its limits."""

from tests.support.kubernetes import (
    FOLDER,
    WORKLOADS,
    Resource,
    by_name,
    containers,
    pod,
    resources,
    settings,
)

PART = FOLDER / "optional" / "training"
CRON_JOB = WORKLOADS["training"]
KEY = "deploy-key"


def mounts(container: Resource) -> dict[str, str]:
    """Return the paths of a container's volumes by their names."""
    paths = {}
    for mount in container["volumeMounts"]:
        paths[mount["name"]] = mount["mountPath"]
    return paths


def test_the_deploy_key_is_in_no_container_that_trains() -> None:
    with_key = set()
    for container in containers(CRON_JOB):
        if KEY in mounts(container):
            with_key.add(container["name"])
    assert with_key == {"checkout", "publish"}


def test_git_uses_the_files_of_the_secret_and_knows_its_server() -> None:
    variables = settings("training", PART)
    for container in containers(CRON_JOB):
        path = mounts(container).get(KEY)
        assert path in (None, variables["DEPLOY_KEY"])
    command = variables["GIT_SSH_COMMAND"]
    folder = variables["DEPLOY_KEY"]
    assert f"-i {folder}/ssh-privatekey " in command
    assert f"UserKnownHostsFile={folder}/known_hosts " in command
    assert "StrictHostKeyChecking=yes" in command
    assert "BatchMode=yes" in command


def test_a_secret_that_is_missing_does_not_keep_the_pod_from_saying_so() -> None:
    volumes = {}
    for volume in pod(CRON_JOB)["volumes"]:
        volumes[volume["name"]] = volume
    assert volumes[KEY]["secret"]["optional"] is True
    for container in containers(CRON_JOB):
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_its_address_of_the_repository_takes_precedence() -> None:
    assert settings("training", PART)["REPOSITORY_URL"].startswith("git@")
    for container in containers(CRON_JOB):
        names = []
        for source in container["envFrom"]:
            names.append(source["configMapRef"]["name"])
        assert names == ["repository", "training"]


def test_nothing_may_connect_to_it_and_it_reaches_the_repository() -> None:
    policies = by_name(list(resources(PART)), "NetworkPolicy")
    specification = policies["training"]["spec"]
    assert set(specification["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in specification
    (rule,) = specification["egress"]
    ports = [port["port"] for port in rule["ports"]]
    assert ports == [22, 443]
    assert "to" not in rule
