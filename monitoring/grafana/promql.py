"""What the expressions of several dashboards have in common."""

# The tasks that are chosen on the dashboard.
TASK = 'task=~"$task"'
RATE = "$__rate_interval"


def quantile(share: float, name: str, where: str, by: str = "") -> str:
    """Return a quantile of a histogram over all replicas, for each value of the label
    `by`.
    """
    labels = f"le, {by}" if by else "le"
    return (
        f"histogram_quantile({share}, sum by ({labels})"
        f" (rate({name}_bucket{{{where}}}[{RATE}])))"
    )
