"""Putting a promoted version into service: `deployment/models/<task>/`."""

import json
import shutil
from pathlib import Path

from pipeline.files import replacing, to_json, write_atomic
from pipeline.history import layout
from pipeline.history.registry import Promotion
from pipeline.publishing.card import render
from pipeline.repo import Repo

MODEL = "model.onnx"
MANIFEST = "manifest.json"
CARD = "MODEL_CARD.md"


def model_folder(repo: Repo, promotion: Promotion) -> Path:
    """Return where the history keeps a promoted version's files."""
    run = layout.run_folders(repo.mlruns)[promotion.run_id]
    return run / layout.MODELS / promotion.model_id


def deploy(repo: Repo, promotion: Promotion) -> None:
    """Write a version's model, manifest and card to where the API reads them."""
    source = model_folder(repo, promotion)
    manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    manifest |= {
        "version": promotion.version,
        "run_id": promotion.run_id,
        "model_id": promotion.model_id,
        "commit": promotion.commit,
        "promoted": promotion.promoted,
    }
    target = repo.models / promotion.model
    with replacing(target / MODEL) as temporary:
        shutil.copyfile(source / MODEL, temporary)
    write_atomic(target / MANIFEST, to_json(manifest))
    write_atomic(target / CARD, render(manifest, promotion))
