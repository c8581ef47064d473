"""Applies variables that people know from other stacks, or refuses them."""

from dataclasses import replace

from app import other_stacks
from core.environment import is_ours
from scripts.stack.settings import Settings, StackError

# What DEPLOY_MONITORING=false leaves out.
MONITORING = ("prometheus", "grafana", "node-exporter", "cadvisor")


def applied(settings: Settings) -> Settings:
    """Return the settings with what those variables ask for.

    Raises:
        StackError: one of them can't be used; the text names what replaces it.
    """
    variables = settings.variables
    refused = other_stacks.refusals(variables)
    if refused_tracking := _refused_tracking(settings):
        refused.append(refused_tracking)
    if refused:
        raise StackError("\nerror: ".join(refused))
    if variables.get(other_stacks.MONITORING, "").strip().lower() in other_stacks.NO:
        return replace(settings, without=(*settings.without, *MONITORING))
    return settings


def _refused_tracking(settings: Settings) -> str:
    """Return a sentence if `.env` wants the stack to log to another server.

    In the environment the variable is for clients: the stack's services leave it alone.
    """
    name = other_stacks.TRACKING
    if name not in settings.of_file or is_ours(settings.variables[name]):
        return ""
    (meaning,) = (
        known.meaning for known in other_stacks.VARIABLES if known.name == name
    )
    return f"{name} in .env names another server. {meaning}"
