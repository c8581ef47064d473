"""The paths of probes and scrapers, which are treated apart from all others.

They are answered at once however many requests wait, and they are neither traced nor
part of the figures of recent traffic.
"""

PROBE_PATHS = ("/health", "/metrics", "/v2/health")
