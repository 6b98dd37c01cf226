"""The description of the API, for machines and for people."""

import re
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView


class Description(SpectacularAPIView):
    """OpenAPI 3.1 in YAML, or in JSON by Accept; open to everybody, as the code is."""

    authentication_classes = ()
    permission_classes = ()


def page(request: HttpRequest) -> HttpResponse:
    """Every operation for people, from the same description; no script, since Swagger UI styles itself inline."""
    origin = request.build_absolute_uri("/").rstrip("/")
    return render(request, "api/docs.html", {"tags": _by_tag(), "origin": origin})


@cache
def _by_tag() -> dict[str, list[dict[str, Any]]]:
    """The operations under their tags, as the page shows them; the same until the program is another."""
    api = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    found: dict[str, list[dict[str, Any]]] = {}
    for path, item in api["paths"].items():
        for method, operation in item.items():
            found.setdefault(operation["tags"][0], []).append(_shown(api, path, method, operation))
    return dict(sorted(found.items()))


def _shown(api: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", [])
    content = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "example": re.sub(r"{(\w+)}", lambda match: match[1].upper(), path),
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [(one["name"], one["in"], one.get("description", "")) for one in parameters],
        "media_type": next(iter(content), ""),
        "takes": [name for schema in list(content.values())[:1] for name in _names(schema["schema"])],
        "answers": [(status, _of(api, answer)["description"]) for status, answer in operation["responses"].items()],
        "is_public": not operation["security"],
    }


def _of(api: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    name = answer.get("$ref", "").rpartition("/")[2]
    return dict(api["components"]["responses"][name] if name else answer)


def _names(schema: dict[str, Any]) -> list[str]:
    """The components that a body is made of."""
    return re.findall(r"#/components/schemas/(\w+)", str(schema))
