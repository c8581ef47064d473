"""What a task's requests may look like, made from its manifest."""

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


def type_name(task: str) -> str:
    """Return a task's name as names of types begin with it: `credit_risk` becomes
    `CreditRisk`.

    No two tasks share one: an underscore is kept unless a letter follows it.
    """
    return re.sub(r"(?:^|_)([a-z])", lambda found: found[1].upper(), task)


class Records:
    """The validators of one task.

    Attributes:
        names: the features in the order of such a table's columns.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.names = [feature.name for feature in manifest.features]
        record, records, table = self.types(manifest, MAX_RECORDS, "Table")
        self._one: TypeAdapter[Record] = TypeAdapter(record)
        self._many: TypeAdapter[list[Record]] = TypeAdapter(records)
        self._table: TypeAdapter[dict[str, list[tuple[float | str, ...]]]] = (
            TypeAdapter(table)
        )

    @staticmethod
    def types(manifest: Manifest, most: int, table_name: str) -> tuple[Any, Any, Any]:
        """Return what a request may be: a record, a list of up to `most`, a table of
        `features`.
        """
        types = {feature.name: _type(feature) for feature in manifest.features}
        record = _typed_dict(f"{type_name(manifest.task)}Record", types)
        row = tuple.__class_getitem__(tuple(types.values()))
        # Those who do not know `prefixItems` ask what the items of an array are.
        numbers = all(feature.type == "number" for feature in manifest.features)
        cells = Field(
            json_schema_extra={"items": {"type": "number"} if numbers else {}}
        )
        table = _typed_dict(
            table_name, {"features": _several(Annotated[row, cells], most)}
        )
        return record, _several(record, most), table

    def read(self, body: bytes) -> tuple[list[Record], bool]:
        """Return a request's records, and whether it is a single one that came outside
        a list.

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
            raise _explain(error) from error

    def check(self, records: list[Record]) -> list[Record]:
        """Validate records that are no JSON text any more; raise as `read` does."""
        try:
            return self._many.validate_python(records)
        except ValidationError as error:
            raise _explain(error) from error


def _type(feature: Feature) -> Any:
    unit = f" ({feature.unit})" if feature.unit else ""
    about: Any = {
        "description": feature.description + unit,
        "examples": [feature.example],
    }
    if feature.type == "category":
        return Annotated[Literal[*feature.categories], Field(**about)]
    low = -FLOAT32_MAX if feature.low is None else feature.low
    high = FLOAT32_MAX if feature.high is None else feature.high
    return Annotated[
        float, Field(strict=True, ge=low, le=high, allow_inf_nan=False, **about)
    ]


def _several(item: Any, most: int) -> Any:
    return Annotated[list.__class_getitem__(item), Field(min_length=1, max_length=most)]


def _typed_dict(name: str, types: dict[str, Any]) -> Any:
    """Return a dictionary type: pydantic fills these twice as fast as models."""
    make: Any = TypedDict  # mypy knows them only where they are written out
    made = make(name, types)
    made.__pydantic_config__ = ConfigDict(extra="forbid")
    return made


def _explain(error: ValidationError) -> ApiError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if any(fault["type"] == "too_long" and len(fault["loc"]) < 2 for fault in faults):
        return ApiError(
            413, f"more than {MAX_RECORDS:,} records: send them in several requests."
        )
    return invalid(faults)
