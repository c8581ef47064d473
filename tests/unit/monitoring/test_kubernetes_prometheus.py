"""Prometheus in a cluster: its jobs, rules and limits are those of the compose file."""

from pathlib import Path

from tests.paths import ROOT
from tests.support import compose
from tests.support.compose import read_yaml
from tests.support.kubernetes import (
    BASE_RESOURCES,
    CONFIG,
    DEPLOYMENTS,
    Resource,
    by_name,
    kustomization,
    main_container,
    settings,
)

MONITORING = ROOT / "monitoring"


def scrape_jobs(path: Path) -> dict[str, Resource]:
    """Return the jobs in a configuration of Prometheus by their names."""
    return {job["job_name"]: job for job in read_yaml(path)["scrape_configs"]}


def test_prometheus_scrapes_as_in_the_compose_file() -> None:
    all_jobs = scrape_jobs(MONITORING / "prometheus.yml")
    jobs = scrape_jobs(CONFIG / "prometheus.yml")
    services = by_name(BASE_RESOURCES, "Service")
    replicas = jobs["mlops-api"]["dns_sd_configs"][0]
    assert replicas["names"] == ["mlops-api-pods"]
    assert services["mlops-api-pods"]["spec"]["clusterIP"] == "None"
    replicas["names"] = ["mlops-api"]
    for name, job in jobs.items():
        assert job == all_jobs[name]
    assert jobs.keys() - {"prometheus"} <= services.keys()


def test_prometheus_has_the_rules_and_the_limits_of_the_compose_file() -> None:
    (generator,) = kustomization(MONITORING / "prometheus")["configMapGenerator"]
    rules = [path.name for path in (MONITORING / "prometheus/rules").glob("*.yml")]
    assert sorted(generator["files"]) == sorted(f"rules/{name}" for name in rules)
    arguments = main_container(DEPLOYMENTS["prometheus"])["args"]
    for variable, value in settings("prometheus").items():
        assert any(f"$({variable})" in argument for argument in arguments)
        assert f"${{{variable}:-{value}}}" in compose.COMPOSE
