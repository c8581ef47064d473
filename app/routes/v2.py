"""The Open Inference Protocol, version 2: the models as any client of that protocol
expects them.

Source: the protocol's own document, https://github.com/kserve/open-inference-protocol.
"""

from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from app.dependencies import Here
from app.errors import ApiError
from app.routes.v2_types import (
    InferenceRequest,
    InferenceResponse,
    InputTensor,
    ModelMetadata,
    ModelReady,
    OutputTensor,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
)
from app.serving.model import Model
from app.serving.validation import Record
from core import tracing

NAME, VERSION = "mlops-gitops-template", "1"
TYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(string)": "BYTES"}

router = APIRouter(prefix="/v2", tags=["open inference protocol"])


@router.get("/", include_in_schema=False)
@router.get("", operation_id="get_server_metadata")
async def server() -> ServerMetadata:
    """Name the server; it has no extensions."""
    return ServerMetadata(name=NAME, version=VERSION, extensions=[])


@router.get("/health/live", operation_id="check_server_live")
async def live() -> ServerLive:
    """Answer as long as the process does."""
    return ServerLive(live=True)


@router.get(
    "/health/ready",
    operation_id="check_server_ready",
    responses={503: {"model": ServerReady}},
)
async def ready(services: Here, response: Response) -> ServerReady:
    """Answer 200 if all models can be asked, else 503."""
    found = not services.models.obstacles()
    response.status_code = 200 if found else 503
    return ServerReady(live=True, ready=found)


@router.get("/models/{name}/ready", operation_id="check_model_ready")
async def model_ready(name: str, services: Here) -> ModelReady:
    """Answer 200 if the model can be asked."""
    return ModelReady(name=services.models.get(name).manifest.task, ready=True)


@router.get(
    "/models/{name}/versions/{version}/ready", operation_id="check_model_version_ready"
)
async def model_version_ready(name: str, version: str, services: Here) -> ModelReady:
    """Answer 200 if this version of the model can be asked."""
    return ModelReady(name=_find(services, name, version).manifest.task, ready=True)


@router.get("/models/{name}", operation_id="get_model_metadata")
async def metadata(name: str, services: Here) -> ModelMetadata:
    """Describe a model's inputs and outputs."""
    return _metadata(services.models.get(name))


@router.get(
    "/models/{name}/versions/{version}", operation_id="get_model_version_metadata"
)
async def version_metadata(name: str, version: str, services: Here) -> ModelMetadata:
    """Describe the inputs and outputs of this version of a model."""
    return _metadata(_find(services, name, version))


@router.post(
    "/models/{name}/infer", operation_id="infer", response_model_exclude_none=True
)
def infer(
    name: str, body: InferenceRequest, services: Here, request: Request
) -> InferenceResponse:
    """Run the model on the inputs."""
    with services.predicting(name):
        return _infer(
            services, services.models.get(name), body, request.scope["request_id"]
        )


@router.post(
    "/models/{name}/versions/{version}/infer",
    operation_id="infer_with_version",
    response_model_exclude_none=True,
)
def infer_with_version(
    name: str, version: str, body: InferenceRequest, services: Here, request: Request
) -> InferenceResponse:
    """Run this version of the model on the inputs."""
    with services.predicting(name):
        model = _find(services, name, version)
        return _infer(services, model, body, request.scope["request_id"])


def _infer(
    services: Here, model: Model, body: InferenceRequest, request_id: str
) -> InferenceResponse:
    with tracing.span("validation", model.identity):
        records = _records(model, body.inputs)
    name, produced = model.manifest.task, [
        entry.name for entry in model.session.get_outputs()
    ]
    wanted = [output.name for output in body.outputs or []] or produced
    for output in wanted:
        if output not in produced:
            raise _bad(
                f"{name} has no output {output[:100]!r}: it has {', '.join(produced)}."
            )
    with tracing.span("inference", model.identity, len(records)):
        raw = model.session.run(produced, model.feeds(records))
        predictions = model.describe(raw[-1])
    services.note(request_id, model, records, predictions)
    named = dict(zip(produced, raw, strict=True))
    return InferenceResponse(
        model_name=name,
        model_version=str(model.manifest.version),
        id=body.id,
        outputs=[_output(output, named[output]) for output in wanted],
    )


def _find(services: Here, name: str, version: str) -> Model:
    model = services.models.get(name)
    if version != str(model.manifest.version):
        raise ApiError(
            404, f"{name} serves version {model.manifest.version} and no other."
        )
    return model


def _records(model: Model, inputs: list[InputTensor]) -> list[Record]:
    """Turn columns into records.

    Raises:
        ApiError: what does not fit the model or its features' ranges, or too many rows.
    """
    expected = {entry.name: TYPES[entry.type] for entry in model.session.get_inputs()}
    given = [entry.name for entry in inputs]
    if sorted(given) != sorted(expected):
        raise _bad(f"inputs must be each of these once: {', '.join(expected)}.")
    rows = inputs[0].shape[0]
    columns = {}
    for entry in inputs:
        if entry.shape != [rows, 1]:
            raise _bad(f"{entry.name}: the shape must be [{rows}, 1].")
        if entry.datatype != expected[entry.name]:
            raise _bad(f"{entry.name}: the datatype must be {expected[entry.name]}.")
        columns[entry.name] = entry.data
        if all(isinstance(value, list) and len(value) == 1 for value in entry.data):
            columns[entry.name] = [value[0] for value in entry.data]
        if len(columns[entry.name]) != rows:
            raise _bad(f"{entry.name}: the data do not fill the shape {entry.shape}.")
    by_row = zip(*columns.values(), strict=True)
    return model.records.check([dict(zip(columns, row, strict=True)) for row in by_row])


def _metadata(model: Model) -> ModelMetadata:
    return ModelMetadata(
        name=model.manifest.task,
        versions=[str(model.manifest.version)],
        platform="onnxruntime_onnx",
        inputs=[_tensor(entry) for entry in model.session.get_inputs()],
        outputs=[_tensor(entry) for entry in model.session.get_outputs()],
    )


def _tensor(entry: Any) -> TensorMetadata:
    shape = [
        -1 if size is None or isinstance(size, str) else size for size in entry.shape
    ]
    return TensorMetadata(name=entry.name, datatype=TYPES[entry.type], shape=shape)


def _output(name: str, values: Any) -> OutputTensor:
    array = np.asarray(values)
    datatype = "INT64" if array.dtype == np.int64 else "FP32"
    return OutputTensor(
        name=name, datatype=datatype, shape=[*array.shape], data=array.ravel().tolist()
    )


def _bad(message: str) -> ApiError:
    return ApiError(400, message)
