"""Names of files and folders that several parts of the project agree on."""

# A model's folder: the ONNX file, what it promises, and its description for people.
MODEL = "model.onnx"
MANIFEST = "manifest.json"
CARD = "MODEL_CARD.md"

# The folder with one folder for each model in service.
MODELS = "deployment/models"
# The release: which commit, images and models should be in service.
RELEASE = "deployment/release.json"

# The folders that the pipeline's own commits may touch.
OWNED = ("mlruns", MODELS, "data", "results")


def is_owned(path: str) -> bool:
    """Return whether only the pipeline's own commits write a path of the repository."""
    if path == RELEASE:
        return True
    return any(path.startswith(f"{folder}/") for folder in OWNED)
