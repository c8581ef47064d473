"""Prometheus in a cluster: its jobs, rules and limits are those of the compose file."""

from pathlib import Path

from tests.paths import ROOT
from tests.support import compose
from tests.support.compose import read_yaml
from tests.support.kubernetes import (
    CONFIG,
    KUBERNETES_SERVICES,
    Resource,
    kustomization,
    main_container,
    settings,
)

MONITORING = ROOT / "monitoring"


def scrape_jobs(path: Path) -> dict[str, Resource]:
    """Return the jobs in a configuration of Prometheus by their names."""
    content = read_yaml(path)
    jobs = {}
    for job in content["scrape_configs"]:
        jobs[job["job_name"]] = job
    return jobs


def test_jobs_are_those_of_the_compose_file() -> None:
    expected = scrape_jobs(MONITORING / "prometheus.yml")
    jobs = scrape_jobs(CONFIG / "prometheus.yml")
    # The name of the service has one address; that of its pods has all of theirs.
    (replicas,) = jobs["mlops-api"]["dns_sd_configs"]
    assert replicas["names"] == ["mlops-api-pods"]
    replicas["names"] = ["mlops-api"]
    for name, job in jobs.items():
        assert job == expected[name]


def test_every_job_finds_a_service() -> None:
    jobs = scrape_jobs(CONFIG / "prometheus.yml")
    services = jobs.keys() - {"prometheus"}
    assert services <= KUBERNETES_SERVICES.keys()
    pods = KUBERNETES_SERVICES["mlops-api-pods"]["spec"]
    assert pods["clusterIP"] == "None"


def test_rules_are_those_of_the_compose_file() -> None:
    folder = MONITORING / "prometheus"
    (generator,) = kustomization(folder)["configMapGenerator"]
    expected = []
    for path in folder.glob("rules/*.yml"):
        expected.append(f"rules/{path.name}")
    assert sorted(generator["files"]) == sorted(expected)


def test_samples_are_kept_as_long_as_with_the_compose_file() -> None:
    arguments = main_container("prometheus")["args"]
    used = " ".join(arguments)
    for variable, value in settings("prometheus").items():
        assert f"$({variable})" in used
        assert f"${{{variable}:-{value}}}" in compose.COMPOSE
