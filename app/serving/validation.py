"""Validation of a task's requests, by the rules of its manifest."""

import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from app.errors import ApiError, invalid
from core.manifest import Feature, Manifest

MAX_RECORDS = 10_000
FLOAT32_MAX = float(np.finfo(np.float32).max)

Record = dict[str, float | str]
Row = tuple[float | str, ...]


def type_name(task: str) -> str:
    """Return a task's name in the form of type names: `credit_risk` → `CreditRisk`.

    No two tasks share one: an underscore is kept unless a letter follows it.
    """
    return re.sub(r"(?:^|_)([a-z])", lambda match: match[1].upper(), task)


class RequestValidator:
    """Validates the requests of one task.

    Attributes:
        names: the features, in the order of a table's columns.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.names = [feature.name for feature in manifest.features]
        record, records, table = request_types(manifest, MAX_RECORDS, "Table")
        self._one: TypeAdapter[Record] = TypeAdapter(record)
        self._many: TypeAdapter[list[Record]] = TypeAdapter(records)
        self._table: TypeAdapter[dict[str, list[Row]]] = TypeAdapter(table)

    def parse(self, body: bytes) -> tuple[list[Record], bool]:
        """Return a request's records, and whether it is one record outside a list.

        Raises:
            ApiError: 422 with every fault, or 413 for too many records.
        """
        try:
            if body.lstrip()[:1] == b"[":
                return self._many.validate_json(body), False
            if b'"features"' in body:
                rows = self._table.validate_json(body)["features"]
                return [dict(zip(self.names, row, strict=True)) for row in rows], False
            return [self._one.validate_json(body)], True
        except ValidationError as error:
            raise _as_api_error(error) from error

    def validate(self, records: list[Record]) -> list[Record]:
        """Validate records that are not JSON any more; raise as `parse` does."""
        try:
            return self._many.validate_python(records)
        except ValidationError as error:
            raise _as_api_error(error) from error


def request_types(
    manifest: Manifest, max_rows: int, table_name: str
) -> tuple[Any, Any, Any]:
    """Return the types of a request: a record, a list of them, a table of `features`.

    Args:
        max_rows: how many records or rows there may be.
        table_name: the name of the table's type in `/openapi.json`.
    """
    types = {feature.name: _feature_type(feature) for feature in manifest.features}
    record = _typed_dict(f"{type_name(manifest.task)}Record", types)
    of_columns = tuple(types.values())
    row: Any = tuple.__class_getitem__(of_columns)
    # Generators that do not know `prefixItems` need `items`.
    only_numbers = all(feature.type == "number" for feature in manifest.features)
    items: Any = {"type": "number"} if only_numbers else {}
    cells: Any = Annotated[row, Field(json_schema_extra={"items": items})]
    rows = _list_type(cells, max_rows)
    table = _typed_dict(table_name, {"features": rows})
    records = _list_type(record, max_rows)
    return record, records, table


def _feature_type(feature: Feature) -> Any:
    unit = ""
    if feature.unit:
        unit = f" ({feature.unit})"
    schema: Any = {
        "description": feature.description + unit,
        "examples": [feature.example],
    }
    if feature.type == "category":
        return Annotated[Literal[*feature.categories], Field(**schema)]
    number = Field(
        strict=True,
        ge=-FLOAT32_MAX if feature.low is None else feature.low,
        le=FLOAT32_MAX if feature.high is None else feature.high,
        allow_inf_nan=False,
        **schema,
    )
    return Annotated[float, number]


def _list_type(item: Any, max_length: int) -> Any:
    bounds = Field(min_length=1, max_length=max_length)
    return Annotated[list.__class_getitem__(item), bounds]


def _typed_dict(name: str, types: dict[str, Any]) -> Any:
    """Return a dictionary type: pydantic fills these twice as fast as models."""
    make: Any = TypedDict  # mypy knows them only where they are written out
    typed_dict = make(name, types)
    typed_dict.__pydantic_config__ = ConfigDict(extra="forbid")
    return typed_dict


def _as_api_error(error: ValidationError) -> ApiError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    for fault in faults:
        if fault["type"] == "too_long" and len(fault["loc"]) < 2:
            message = (
                f"more than {MAX_RECORDS:,} records: send them in several requests."
            )
            return ApiError(413, message)
    return invalid(faults)
