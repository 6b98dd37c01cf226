"""drf-spectacular's hooks: each operation is a row of our tables, the components come with them."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from . import answers, epcis, epcis_operations, scan_operations
from .operation import Operation, refusal_responses

OPERATIONS = {**epcis_operations.OPERATIONS, **scan_operations.OPERATIONS}
COMPONENTS = {**epcis.COMPONENTS, **answers.COMPONENTS}


class TableSchema(AutoSchema):
    """An operation without a row is left out; a test names it (tests/architecture/test_openapi.py)."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        row = operation_of(type(self.view), method)
        return row.as_openapi(re.findall(r"{(\w+)}", path)) if row else None


def operation_of(view: type, method: str) -> Operation | None:
    """The row of a view's method, or None."""
    return OPERATIONS.get((view, method.upper()))


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
