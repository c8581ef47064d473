"""Names of files and folders that several parts of the project agree on."""

# A model's folder: the ONNX file, what it promises, and its description for people.
MODEL = "model.onnx"
MANIFEST = "manifest.json"
CARD = "MODEL_CARD.md"

# The folders that the pipeline's own commits may touch.
OWNED = ("mlruns", "deployment/models", "data", "results")


def is_owned(path: str) -> bool:
    """Return whether a path of the repository is in a folder that the pipeline owns."""
    return any(path.startswith(f"{folder}/") for folder in OWNED)
