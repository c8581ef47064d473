"""The component that scales the API by requests in progress: metric, rule and target."""

import yaml

from app.settings import Settings
from tests.support.compose import read_yaml
from tests.support.json_content import Json
from tests.support.kubernetes import (
    BASE_RESOURCES,
    CONFIG,
    FOLDER,
    by_name,
    kustomization,
)

PART = FOLDER / "optional" / "requests-in-flight"
GAUGE = "http_requests_in_progress"


def scaling_metric() -> Json:
    """Return the metric that the component adds to the autoscaler."""
    (patch,) = kustomization(PART)["patches"]
    scalers = by_name(BASE_RESOURCES, "HorizontalPodAutoscaler")
    assert patch["target"]["name"] in scalers
    (change,) = yaml.safe_load(patch["patch"])
    assert change["path"] == "/spec/metrics/-"
    external: Json = change["value"]["external"]
    return external


def test_the_adapter_serves_the_metric_that_the_autoscaler_reads() -> None:
    (rule,) = read_yaml(PART / "adapter-rules.yml")["externalRules"]
    assert rule["name"]["as"] == scaling_metric()["metric"]["name"]


def test_the_rule_reads_a_gauge_of_the_api_from_prometheus_in_the_cluster() -> None:
    (rule,) = read_yaml(PART / "adapter-rules.yml")["externalRules"]
    series = f'{GAUGE}{{job="mlops-api"}}'
    assert rule["seriesQuery"] == series
    assert series in rule["metricsQuery"]
    jobs = [
        job["job_name"]
        for job in read_yaml(CONFIG / "prometheus.yml")["scrape_configs"]
    ]
    assert "mlops-api" in jobs


def test_replicas_are_added_before_requests_are_rejected() -> None:
    target = scaling_metric()["target"]
    assert target["type"] == "AverageValue"
    most = Settings.model_fields["max_waiting"].default
    assert int(target["averageValue"]) == most / 4
