"""The Open Inference Protocol, version 2: the models as any client of that protocol expects them.

Source: the protocol's own document, https://github.com/kserve/open-inference-protocol.
"""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app import tracing
from app.errors import ApiError
from app.model import Model
from app.records import Record
from app.services import Here

NAME, VERSION = "mlops-gitops-template", "1"
TYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(string)": "BYTES"}
Parameters = dict[str, str | int | float | bool]


class Error(BaseModel):
    """What every failed request is answered with."""

    error: str


class Tensor(BaseModel):
    """The name, type and shape of an input or output; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class Metadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class Wanted(BaseModel, strict=True):
    """An output that is asked for."""

    name: str
    parameters: Parameters | None = None


class Input(Wanted):
    """One feature's values, flat or nested like the shape."""

    shape: list[Annotated[int, Field(ge=0, le=1_000_000)]] = Field(min_length=1, max_length=8)
    datatype: str
    data: list[Any]


class Inference(BaseModel, strict=True):
    """A request: every input of the model once, all with the same number of rows."""

    # The bound is there because only bounded texts are checked to be such that can be sent back.
    id: Annotated[str, Field(max_length=1_000_000)] | None = None
    parameters: Parameters | None = None
    inputs: list[Input]
    outputs: list[Wanted] | None = None


class Output(Tensor):
    """A result, its values flat in row-major order."""

    data: list[float | int | str]


class Answer(BaseModel):
    """The results, with the id of the request if it had one."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[Output]


router = APIRouter(prefix="/v2", tags=["open inference protocol"])


@router.get("/", include_in_schema=False)
@router.get("")
async def server() -> dict[str, Any]:
    """Name the server; it has no extensions."""
    return {"name": NAME, "version": VERSION, "extensions": []}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """Answer as long as the process does."""
    return {"live": True}


@router.get("/health/ready", responses={503: {"model": dict[str, bool]}})
async def ready(services: Here, response: Response) -> dict[str, bool]:
    """Answer 200 if all models can be asked, else 503."""
    found = not services.models.obstacles()
    response.status_code = 200 if found else 503
    # The protocol's text names the key `live` here too; its servers and clients say `ready`.
    return {"ready": found, "live": True}


@router.get("/models/{name}/versions/{version}/ready")
@router.get("/models/{name}/ready")
async def model_ready(
    name: str, services: Here, response: Response, version: str | None = None
) -> dict[str, Any]:
    """Answer 200 if the model can be asked."""
    model = _find(services, name, version)
    return {"name": model.manifest.task, "ready": True}


@router.get("/models/{name}/versions/{version}")
@router.get("/models/{name}")
async def metadata(name: str, services: Here, version: str | None = None) -> Metadata:
    """Describe a model's inputs and outputs."""
    model = _find(services, name, version)
    return Metadata(
        name=name,
        versions=[str(model.manifest.version)],
        platform="onnxruntime_onnx",
        inputs=[_tensor(entry) for entry in model.session.get_inputs()],
        outputs=[_tensor(entry) for entry in model.session.get_outputs()],
    )


@router.post("/models/{name}/versions/{version}/infer", response_model_exclude_none=True)
@router.post("/models/{name}/infer", response_model_exclude_none=True)
def infer(
    name: str, body: Inference, services: Here, request: Request, version: str | None = None
) -> Answer:
    """Run the model on the inputs."""
    with services.predicting(name):
        model = _find(services, name, version)
        with tracing.span("validation", model.identity):
            records = _records(model, body.inputs)
        produced = [entry.name for entry in model.session.get_outputs()]
        wanted = [output.name for output in body.outputs or []] or produced
        for output in wanted:
            if output not in produced:
                raise _bad(f"{name} has no output {output[:100]!r}: it has {', '.join(produced)}.")
        with tracing.span("inference", model.identity, len(records)):
            raw = model.session.run(produced, model.feeds(records))
            predictions = model.describe(raw[-1])
        services.note(request.scope["request_id"], model, records, predictions)
        named = dict(zip(produced, raw, strict=True))
        return Answer(
            model_name=name,
            model_version=str(model.manifest.version),
            id=body.id,
            outputs=[_output(output, named[output]) for output in wanted],
        )


def _find(services: Here, name: str, version: str | None) -> Model:
    model = services.models.get(name)
    if version is not None and version != str(model.manifest.version):
        raise ApiError(404, f"{name} serves version {model.manifest.version} and no other.")
    return model


def _records(model: Model, inputs: list[Input]) -> list[Record]:
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


def _tensor(entry: Any) -> Tensor:
    shape = [-1 if size is None or isinstance(size, str) else size for size in entry.shape]
    return Tensor(name=entry.name, datatype=TYPES[entry.type], shape=shape)


def _output(name: str, values: Any) -> Output:
    array = np.asarray(values)
    datatype = "INT64" if array.dtype == np.int64 else "FP32"
    return Output(name=name, datatype=datatype, shape=[*array.shape], data=array.ravel().tolist())


def _bad(message: str) -> ApiError:
    return ApiError(400, message)
