"""drf-spectacular's hooks: each operation is a row of our tables, the components come with them."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from . import (
    answers,
    delivery_operations,
    epcis,
    epcis_operations,
    exception_operations,
    expected_operations,
    product_operations,
    query_operations,
    recall_operations,
    scan_operations,
    trace_operations,
)
from .operation import Operation, refusal_responses

_ROOMS = (
    delivery_operations, epcis_operations, query_operations, scan_operations, product_operations, recall_operations,
    trace_operations, expected_operations, exception_operations,
)  # fmt: skip
OPERATIONS = {key: row for room in _ROOMS for key, row in room.OPERATIONS.items()}
COMPONENTS = {
    **epcis.COMPONENTS, **answers.COMPONENTS, **product_operations.COMPONENTS, **trace_operations.COMPONENTS,
    **expected_operations.COMPONENTS, **exception_operations.COMPONENTS,
}  # fmt: skip


class TableSchema(AutoSchema):
    """An operation without a row is left out; a test names it (tests/architecture/test_openapi.py)."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        row = operation_of(type(self.view), method)
        return row.as_openapi(re.findall(r"{(\w+)}", path), getattr(self.view, "kind", "")) if row else None


def operation_of(view: type, method: str) -> Operation | None:
    """The row of a view's method, its own or of a class that it is of; or None."""
    rows = (OPERATIONS.get((base, method.upper())) for base in view.__mro__)
    return next((row for row in rows if row is not None), None)


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: the schemas, problem documents and headers that the rows refer to."""
    result["components"] = {
        "schemas": dict(sorted(COMPONENTS.items())),
        "responses": refusal_responses(),
        "headers": epcis_operations.HEADERS,
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A party's token, made in the portal under Organisation.",
            }
        },
    }
    return result
