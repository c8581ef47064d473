"""Dask's Deployments in a real cluster: the bytes of a training without them."""

from tests.kubernetes.stack import NAMESPACE, Stack

ADDRESS = "tcp://dask-scheduler:8786"
# Trains iris, then prints the digest of every model and every metric but durations.
TRAIN = """
import hashlib, json, subprocess, sys
from pathlib import Path
folder = Path(sys.argv[1])
command = ["python", "-m", "pipeline", "train", "--task", "iris", "--out", str(folder)]
subprocess.run(command, check=True, stdout=2)
lines = []
for path in folder.rglob("run.json"):
    run = json.loads(path.read_bytes())
    algorithm = run["params"].get("algorithm", "")
    for name, points in run["metrics"].items():
        if name not in ("fit_seconds", "latency_ms"):
            values = [point[0] for point in points]
            lines.append(f"{algorithm} {name} {values}")
    for model in path.parent.rglob("*.onnx"):
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        lines.append(f"{algorithm} {model.name} {digest}")
print("\\n".join(sorted(lines)))
"""


def trained(stack: Stack, address: str) -> tuple[list[str], str]:
    """Train in the worker's pod; return what the bundle contains, and the log."""
    folder = "/state/build/on-cluster" if address else "/state/build/alone"
    target = ("-n", NAMESPACE, "deployment/trainer", "-c", "trainer")
    # Without MLflow's address: its runs are not to be logged there.
    variables = ("env", "-u", "MLFLOW_TRACKING_URI", f"MLOPS_CLUSTER={address}")
    command = ("python", "-c", TRAIN, folder)
    done = stack.cluster.run("exec", *target, "--", *variables, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_a_training_on_two_workers_has_the_bytes_of_one_without(stack: Stack) -> None:
    stack.kubectl("scale", "deployment/dask-worker", "--replicas=2")
    stack.await_rollout("dask-scheduler", "dask-worker")
    alone, _ = trained(stack, "")
    together, log = trained(stack, ADDRESS)
    assert f"Training on 2 workers of {ADDRESS}." in log
    assert any(".onnx " in line for line in alone)
    assert together == alone
