"""The Open Inference Protocol, version 2.

Source: the protocol's own document, https://github.com/kserve/open-inference-protocol.
"""

from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from app.dependencies import Services, ServicesDep
from app.errors import ApiError
from app.observability.prediction_log import record_predictions
from app.routes.predict import track_prediction
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

NAME = "mlops-gitops-template"
VERSION = "1"
TYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(string)": "BYTES"}

router = APIRouter(prefix="/v2", tags=["open inference protocol"])


@router.get("/", include_in_schema=False)
@router.get("", operation_id="get_server_metadata", summary="Get server metadata")
async def get_server_metadata() -> ServerMetadata:
    """Return the name and the version of the server, which has no extensions."""
    return ServerMetadata(name=NAME, version=VERSION, extensions=[])


@router.get(
    "/health/live", operation_id="check_server_live", summary="Check server liveness"
)
async def check_server_live() -> ServerLive:
    """Return 200 while the process is running."""
    return ServerLive(live=True)


@router.get(
    "/health/ready",
    operation_id="check_server_ready",
    summary="Check server readiness",
    responses={503: {"model": ServerReady}},
)
async def check_server_ready(services: ServicesDep, response: Response) -> ServerReady:
    """Return 200 if all models can be used, otherwise 503."""
    ready = not services.models.not_ready_reasons()
    response.status_code = 200 if ready else 503
    return ServerReady(live=True, ready=ready)


@router.get(
    "/models/{name}/ready",
    operation_id="check_model_ready",
    summary="Check model readiness",
)
async def check_model_ready(name: str, services: ServicesDep) -> ModelReady:
    """Return 200 if the model can be used."""
    return ModelReady(name=services.models.get(name).manifest.task, ready=True)


@router.get(
    "/models/{name}/versions/{version}/ready",
    operation_id="check_model_version_ready",
    summary="Check model version readiness",
)
async def check_model_version_ready(
    name: str, version: str, services: ServicesDep
) -> ModelReady:
    """Return 200 if this version of the model can be used."""
    model = _model_version(services, name, version)
    return ModelReady(name=model.manifest.task, ready=True)


@router.get(
    "/models/{name}", operation_id="get_model_metadata", summary="Get model metadata"
)
async def get_model_metadata(name: str, services: ServicesDep) -> ModelMetadata:
    """Return the names, types and shapes of a model's inputs and outputs."""
    return _metadata(services.models.get(name))


@router.get(
    "/models/{name}/versions/{version}",
    operation_id="get_model_version_metadata",
    summary="Get model version metadata",
)
async def get_model_version_metadata(
    name: str, version: str, services: ServicesDep
) -> ModelMetadata:
    """Return the inputs and outputs of this version of a model."""
    return _metadata(_model_version(services, name, version))


@router.post(
    "/models/{name}/infer",
    operation_id="infer",
    summary="Infer",
    response_model_exclude_none=True,
)
def infer(
    name: str, body: InferenceRequest, services: ServicesDep, request: Request
) -> InferenceResponse:
    """Run the model on the inputs."""
    with track_prediction(services, name):
        model = services.models.get(name)
        return _infer(services, model, body, request.scope["request_id"])


@router.post(
    "/models/{name}/versions/{version}/infer",
    operation_id="infer_with_version",
    summary="Infer with a version",
    response_model_exclude_none=True,
)
def infer_with_version(
    name: str,
    version: str,
    body: InferenceRequest,
    services: ServicesDep,
    request: Request,
) -> InferenceResponse:
    """Run this version of the model on the inputs."""
    with track_prediction(services, name):
        model = _model_version(services, name, version)
        return _infer(services, model, body, request.scope["request_id"])


def _infer(
    services: Services, model: Model, body: InferenceRequest, request_id: str
) -> InferenceResponse:
    with tracing.span("validation", model.identity):
        records = _records(model, body.inputs)
    task = model.manifest.task
    available = [output.name for output in model.session.get_outputs()]
    requested = [output.name for output in body.outputs or []] or available
    for name in requested:
        if name not in available:
            raise _bad_request(
                f"{task} has no output {name[:100]!r}: it has {', '.join(available)}."
            )
    with tracing.span("inference", model.identity, len(records)):
        outputs = model.session.run(available, model.feeds(records))
        predictions = model.describe(outputs[-1])
    record_predictions(services.predictions, request_id, model, records, predictions)
    values = dict(zip(available, outputs, strict=True))
    return InferenceResponse(
        model_name=task,
        model_version=str(model.manifest.version),
        id=body.id,
        outputs=[_output(name, values[name]) for name in requested],
    )


def _model_version(services: Services, name: str, version: str) -> Model:
    """Return a task's model if it has this version.

    Raises:
        ApiError: 404 for another version, else as `ModelRepository.get` does.
    """
    model = services.models.get(name)
    if version != str(model.manifest.version):
        raise ApiError(
            404, f"{name} serves version {model.manifest.version} and no other."
        )
    return model


def _records(model: Model, inputs: list[InputTensor]) -> list[Record]:
    """Turn columns into records.

    Raises:
        ApiError: the inputs do not fit the model or its features' ranges, or there are
            too many rows.
    """
    expected = {entry.name: TYPES[entry.type] for entry in model.session.get_inputs()}
    names = [tensor.name for tensor in inputs]
    if sorted(names) != sorted(expected):
        raise _bad_request(f"inputs must be each of these once: {', '.join(expected)}.")
    rows = inputs[0].shape[0]
    columns = [_column(tensor, rows, expected[tensor.name]) for tensor in inputs]
    by_row = zip(*columns, strict=True)
    records = [dict(zip(names, row, strict=True)) for row in by_row]
    return model.validator.validate(records)


def _column(tensor: InputTensor, rows: int, datatype: str) -> list[Any]:
    """Return the values of one feature, whether they are flat or nested.

    Raises:
        ApiError: 400 if the shape, the type or the number of values is another one.
    """
    if tensor.shape != [rows, 1]:
        raise _bad_request(f"{tensor.name}: the shape must be [{rows}, 1].")
    if tensor.datatype != datatype:
        raise _bad_request(f"{tensor.name}: the datatype must be {datatype}.")
    values = tensor.data
    if all(isinstance(value, list) and len(value) == 1 for value in values):
        values = [value[0] for value in values]
    if len(values) != rows:
        raise _bad_request(
            f"{tensor.name}: the data do not fill the shape {tensor.shape}."
        )
    return values


def _metadata(model: Model) -> ModelMetadata:
    return ModelMetadata(
        name=model.manifest.task,
        versions=[str(model.manifest.version)],
        platform="onnxruntime_onnx",
        inputs=[_tensor(entry) for entry in model.session.get_inputs()],
        outputs=[_tensor(entry) for entry in model.session.get_outputs()],
    )


def _tensor(entry: Any) -> TensorMetadata:
    shape = [size if isinstance(size, int) else -1 for size in entry.shape]
    return TensorMetadata(name=entry.name, datatype=TYPES[entry.type], shape=shape)


def _output(name: str, values: Any) -> OutputTensor:
    array = np.asarray(values)
    return OutputTensor(
        name=name,
        datatype="INT64" if array.dtype == np.int64 else "FP32",
        shape=list(array.shape),
        data=array.ravel().tolist(),
    )


def _bad_request(message: str) -> ApiError:
    return ApiError(400, message)
