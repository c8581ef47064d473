"""Sections of the machine and of the containers on it."""

from grafana_foundation_sdk.models import units

from monitoring.grafana.board import Section
from monitoring.grafana.panels import graph, number, stacked
from monitoring.grafana.parts import (
    GREEN,
    HALF,
    ORANGE,
    QUARTER,
    RED,
    YELLOW,
    About,
    AnyPanel,
    Query,
)
from monitoring.grafana.promql import RATE
from monitoring.grafana.reasons import NO_CONTAINERS, NO_MACHINE

FULL = ((None, GREEN), (0.8, YELLOW), (0.9, RED))
# What is no disk: memory, and the layers of images.
DISKS = (
    'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|erofs",'
    ' mountpoint!~"/(boot|run|snap).*"'
)
WIRES = 'device!~"lo|veth.*|br-.*|docker.*"'
SERVICE = "container_label_com_docker_compose_service"


def machine() -> Section:
    """Return what Node Exporter tells."""
    over_time = [*_processors(), *_memory_and_disks(), _network()]
    return "Machine", [*_in_use(), *over_time]


def _in_use() -> list[AnyPanel]:
    memory = "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
    disk = (
        f"max by (device) (1 - node_filesystem_avail_bytes{{{DISKS}}} / "
        "node_filesystem_size_bytes)"
    )
    busy = f'1 - avg(rate(node_cpu_seconds_total{{mode="idle"}}[{RATE}]))'
    return [
        number(
            About(title, text, unit, NO_MACHINE),
            Query(expr, name),
            width=QUARTER,
            steps=steps,
        )
        for title, text, unit, expr, name, steps in (
            (
                "CPU in use",
                "Share of the processors' time in use.",
                units.PercentUnit,
                busy,
                "busy",
                FULL,
            ),
            (
                "Memory in use",
                "Share that is not available.",
                units.PercentUnit,
                memory,
                "used",
                FULL,
            ),
            (
                "Disks in use",
                "How full each disk is.",
                units.PercentUnit,
                disk,
                "{{device}}",
                FULL,
            ),
            (
                *(
                    "Machine up",
                    "Since the machine was started.",
                    units.DurationSeconds,
                ),
                *("time() - node_boot_time_seconds", "up", ((None, GREEN),)),
            ),
        )
    ]


def _processors() -> list[AnyPanel]:
    modes = graph(
        About(
            "CPU by what it does",
            "Share of all processors' time. iowait: it waits for disks; steal: for"
            " other machines.",
            units.PercentUnit,
            NO_MACHINE,
        ),
        Query(
            f'sum by (mode) (rate(node_cpu_seconds_total{{mode!="idle"}}[{RATE}])) '
            '/ scalar(count(node_cpu_seconds_total{mode="idle"}))',
            "{{mode}}",
        ),
    ).max(1)
    load = graph(
        About(
            "Load",
            "Processes that run or wait, beside the number of processors: above it they"
            " queue.",
            units.Short,
            NO_MACHINE,
        ),
        Query("node_load1", "1 minute"),
        Query("node_load15", "15 minutes"),
        Query('count(node_cpu_seconds_total{mode="idle"})', "processors"),
    )
    return [stacked(modes), load]


def _memory_and_disks() -> list[AnyPanel]:
    kept = graph(
        About(
            "Memory of the machine",
            "In use, and what could be given back at once.",
            units.BytesIEC,
            NO_MACHINE,
        ),
        Query("node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes", "used"),
        Query("node_memory_MemAvailable_bytes", "available"),
    )
    space = graph(
        About("Free on disk", "What is left on each disk.", units.BytesIEC, NO_MACHINE),
        Query(
            f"max by (device) (node_filesystem_avail_bytes{{{DISKS}}})", "{{device}}"
        ),
    )
    disks = graph(
        About("Disk traffic", "Read and written.", units.BytesPerSecondSI, NO_MACHINE),
        Query(f"sum(rate(node_disk_read_bytes_total[{RATE}]))", "read"),
        Query(f"sum(rate(node_disk_written_bytes_total[{RATE}]))", "written"),
    )
    return [stacked(kept), space, disks]


def _network() -> AnyPanel:
    return graph(
        About(
            "Network of the machine",
            "Of the machine's own interfaces.",
            units.BytesPerSecondSI,
            NO_MACHINE,
        ),
        Query(
            "sum by (device)"
            f" (rate(node_network_receive_bytes_total{{{WIRES}}}[{RATE}]))",
            "{{device}} received",
        ),
        Query(
            "sum by (device)"
            f" (rate(node_network_transmit_bytes_total{{{WIRES}}}[{RATE}]))",
            "{{device}} sent",
        ),
    )


def containers() -> Section:
    """Return what cAdvisor tells of the stack's containers, all replicas of a service
    together.
    """
    mine = f'{SERVICE}!=""'

    def by_service(expr: str, more: str = "") -> Query:
        return Query(f"sum by ({SERVICE}) ({expr})", f"{{{{{SERVICE}}}}}{more}")

    cpu = graph(
        About("CPU of containers", "Processors in use.", units.Short, NO_CONTAINERS),
        by_service(f"rate(container_cpu_usage_seconds_total{{{mine}}}[{RATE}])"),
    )
    memory = graph(
        About(
            "Memory of containers",
            "In use without what could be given back: what counts against the limit.",
            units.BytesIEC,
            NO_CONTAINERS,
        ),
        by_service(f"container_memory_working_set_bytes{{{mine}}}"),
    )
    limit = graph(
        About(
            "Memory beside its limit",
            "At 100 % the container is ended and started again.",
            units.PercentUnit,
            NO_CONTAINERS,
        ),
        Query(
            f"max by ({SERVICE}) (container_memory_working_set_bytes{{{mine}}} / "
            f"(container_spec_memory_limit_bytes{{{mine}}} > 0))",
            f"{{{{{SERVICE}}}}}",
        ),
        steps=((None, GREEN), (0.8, ORANGE), (0.95, RED)),
    )
    network = graph(
        About(
            "Network of containers",
            "Received and sent.",
            units.BytesPerSecondSI,
            NO_CONTAINERS,
        ),
        by_service(
            f"rate(container_network_receive_bytes_total{{{mine}}}[{RATE}])",
            " received",
        ),
        by_service(
            f"rate(container_network_transmit_bytes_total{{{mine}}}[{RATE}])", " sent"
        ),
    )
    started = graph(
        About(
            "Starts of containers",
            "Time since each was started: a line that falls is a restart.",
            units.DurationSeconds,
            NO_CONTAINERS,
        ),
        Query(
            f"time() - max by ({SERVICE}) (container_start_time_seconds{{{mine}}})",
            f"{{{{{SERVICE}}}}}",
        ),
        width=2 * HALF,
    )
    return "Containers", [stacked(cpu), stacked(memory), limit, network, started]
