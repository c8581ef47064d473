"""Applies common variables of other stacks, or refuses them."""

from dataclasses import replace

from app import other_stacks
from core.environment import is_ours
from scripts.stack.settings import Settings, StackError

# What DEPLOY_MONITORING=false leaves out.
MONITORING = ("prometheus", "grafana", "node-exporter", "cadvisor")


def applied(settings: Settings) -> Settings:
    """Return the settings after applying those variables.

    Raises:
        StackError: one of them cannot be used; the text names its replacement.
    """
    variables = settings.variables
    refusals = other_stacks.refusals(variables)
    tracking = _refused_tracking(settings)
    if tracking:
        refusals.append(tracking)
    if refusals:
        raise StackError("\nerror: ".join(refusals))
    monitoring = variables.get(other_stacks.MONITORING, "")
    if monitoring.strip().lower() in other_stacks.NO:
        return replace(settings, without=(*settings.without, *MONITORING))
    return settings


def _refused_tracking(settings: Settings) -> str:
    """Return a sentence if `.env` makes the stack log to another server.

    In the environment the variable is for clients: the stack's services ignore it.
    """
    name = other_stacks.TRACKING
    if name not in settings.of_file or is_ours(settings.variables[name]):
        return ""
    meanings = {v.name: v.meaning for v in other_stacks.VARIABLES}
    return f"{name} in .env names another server. {meanings[name]}"
