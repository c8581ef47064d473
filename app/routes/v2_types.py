"""What the Open Inference Protocol, version 2, asks and answers."""

from typing import Annotated, Any

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

ParameterValue = TypeAliasType("ParameterValue", str | int | float | bool)
TensorValue = TypeAliasType("TensorValue", float | int | str)
Parameters = dict[str, ParameterValue]


class InferenceError(BaseModel):
    """What every failed request is answered with."""

    error: str


class ServerMetadata(BaseModel):
    """Which server this is."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """Whether the process answers."""

    live: bool


class ServerReady(ServerLive):
    """Whether all models can be used."""

    # The protocol's text names the key `live` here too; its servers and clients say
    # `ready`.
    ready: bool


class ModelReady(BaseModel):
    """Whether a model can be used."""

    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """The name, type and shape of an input or output; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class RequestedOutput(BaseModel, strict=True):
    """A requested output."""

    name: str
    parameters: Parameters | None = None


class InputTensor(RequestedOutput):
    """One feature's values, flat or nested like the shape."""

    shape: list[Annotated[int, Field(ge=0, le=1_000_000)]] = Field(
        min_length=1, max_length=8
    )
    datatype: str
    data: list[Any]


class InferenceRequest(BaseModel, strict=True):
    """A request: every input of the model once, all with the same number of rows."""

    # The bound is there because only bounded texts are checked to be such that can be
    # sent back.
    id: Annotated[str, Field(max_length=1_000_000)] | None = None
    parameters: Parameters | None = None
    inputs: list[InputTensor]
    outputs: list[RequestedOutput] | None = None


class OutputTensor(TensorMetadata):
    """A result, its values flat in row-major order."""

    data: list[TensorValue]


class InferenceResponse(BaseModel):
    """The results, with the id of the request if it had one."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]
