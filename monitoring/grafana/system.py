"""`system-performance`: the machine, the containers, the services and Prometheus
itself.
"""

from typing import Any

from grafana_foundation_sdk.models import units

from monitoring.grafana.board import Section, board
from monitoring.grafana.machine import containers, machine
from monitoring.grafana.panels import graph, number, states
from monitoring.grafana.parts import GREEN, QUARTER, RED, YELLOW, About, Query
from monitoring.grafana.promql import RATE
from monitoring.grafana.reasons import NO_API

NO_PROMETHEUS = (
    "No figures of Prometheus: is it running, and is it the data source prometheus?"
)
API = 'job="mlops-api"'
OWN = 'job="prometheus"'


def build() -> dict[str, Any]:
    """Return the dashboard."""
    return board(
        "system-performance",
        "System performance",
        "The machine, the containers, the services and Prometheus itself.",
        [_services(), machine(), containers(), _api(), _prometheus()],
    )


def _services() -> Section:
    health = states(
        About(
            "Service health",
            "Whether each instance answers Prometheus. A service that was left out is"
            " not here.",
            units.NoUnit,
            NO_PROMETHEUS,
        ),
        Query("max by (job, instance) (up)", "{{job}} {{instance}}"),
        words={"0": ("down", RED), "1": ("up", GREEN)},
    )
    scrapes = graph(
        About(
            "Time to tell",
            "How long each service takes to tell its figures.",
            units.Seconds,
            NO_PROMETHEUS,
        ),
        Query("max by (job) (scrape_duration_seconds)", "{{job}}"),
    )
    return "Services", [health, scrapes]


def _api() -> Section:
    cpu = graph(
        About("CPU of the API", "Processors in use, by replica.", units.Short, NO_API),
        Query(f"rate(process_cpu_seconds_total{{{API}}}[{RATE}])", "{{instance}}"),
    )
    memory = graph(
        About(
            "Memory of the API", "What it keeps, by replica.", units.BytesIEC, NO_API
        ),
        Query(f"process_resident_memory_bytes{{{API}}}", "{{instance}}"),
    )
    files = graph(
        About(
            "Open files of the API",
            "Share of those it may have: connections are files too.",
            units.PercentUnit,
            NO_API,
        ),
        Query(f"process_open_fds{{{API}}} / process_max_fds{{{API}}}", "{{instance}}"),
        steps=((None, GREEN), (0.8, RED)),
    )
    age = graph(
        About(
            "Starts of the API",
            "Time since each replica was started: a line that falls is a restart.",
            units.DurationSeconds,
            NO_API,
        ),
        Query(f"time() - process_start_time_seconds{{{API}}}", "{{instance}}"),
    )
    return "API", [cpu, memory, files, age]


def _prometheus() -> Section:
    read = number(
        About(
            "Configuration",
            "Whether Prometheus could read its configuration and rules the last time.",
            units.NoUnit,
            NO_PROMETHEUS,
        ),
        Query("min(prometheus_config_last_reload_successful)", "configuration"),
        width=QUARTER,
        words={"0": ("refused", RED), "1": ("read", GREEN)},
    )
    series = number(
        About(
            "Series",
            "How many series it keeps at the moment.",
            units.Short,
            NO_PROMETHEUS,
        ),
        Query("sum(prometheus_tsdb_head_series)", "series"),
        width=QUARTER,
        steps=((None, GREEN), (100_000, YELLOW)),
    )
    size = number(
        About(
            "On disk",
            "Blocks, newest chunks and journal.",
            units.BytesIEC,
            NO_PROMETHEUS,
        ),
        Query(
            "sum(prometheus_tsdb_storage_blocks_bytes +"
            " prometheus_tsdb_wal_storage_size_bytes +"
            " prometheus_tsdb_head_chunks_storage_size_bytes)",
            "bytes",
        ),
        width=QUARTER,
    )
    held = number(
        About("Memory of Prometheus", "What it keeps.", units.BytesIEC, NO_PROMETHEUS),
        Query(f"sum(process_resident_memory_bytes{{{OWN}}})", "memory"),
        width=QUARTER,
        steps=((None, GREEN), (800_000_000, YELLOW)),
    )
    samples = graph(
        About("Samples", "What it takes in.", units.CountsPerSecond, NO_PROMETHEUS),
        Query(
            f"sum(rate(prometheus_tsdb_head_samples_appended_total[{RATE}]))", "samples"
        ),
    )
    late = graph(
        About(
            "Queries and rules",
            "The slowest tenth of the evaluations of queries, and the longest of the"
            " rules.",
            units.Seconds,
            NO_PROMETHEUS,
        ),
        Query(
            'max by (slice) (prometheus_engine_query_duration_seconds{quantile="0.9"})',
            "{{slice}}",
        ),
        Query("max(prometheus_rule_group_last_duration_seconds)", "rules"),
    )
    return "Prometheus", [read, series, size, held, samples, late]
