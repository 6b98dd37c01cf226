"""One operation of the API as a row of a table, and the OpenAPI object that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .build import Schema, ref
from .parameters import PATH, Parameter, member

JSON = "application/json"
PROBLEM = "application/problem+json"
# What each refusal means; the codes are in the problem documents.
REFUSALS: Mapping[int, str] = {
    400: "Something in the request is malformed; `errors` names each fault.",
    401: "There is no bearer token, or it is unknown or revoked.",
    403: "Not this party's to do.",
    404: "It does not exist, or the caller may not see it; which of the two is not said.",
    406: "Nothing that this address answers in is acceptable to the caller.",
    409: "It contradicts what is recorded already.",
    410: "It was here and is lost; the log still has its hash.",
    412: "The thing changed since it was read: read it again, then change it.",
    413: "More bytes or events than one request may have; the headers name the limits.",
    414: "The address is longer than what is read.",
    415: "Not a media type that this address takes.",
    428: "The change must say which version it is about (If-Match), or that there is none (If-None-Match: *).",
    501: "The standard has it, this server does not.",
    503: "Too much waits for the log, or the answer is being worked out; Retry-After says when to come again.",
    507: "No room is left; nothing was stored. Retry-After says when to come again.",
}


@dataclass(frozen=True)
class Answer:
    """What a request that is served gets: its content by media type, and the headers that come with it."""

    description: str
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # name -> component


@dataclass(frozen=True)
class Operation:
    """A method of an address. `refusals` are statuses of REFUSALS; 401 and 406 come with every operation."""

    id: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    refusals: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)
    is_public: bool = False
    links: Mapping[str, Any] = field(default_factory=dict)  # of the first answer

    def as_openapi(self, path_names: list[str], kind: str = "") -> dict[str, Any]:
        """The OpenAPI 3.1 operation object; `kind` is the collection, where a view serves several."""
        name = self.id.replace("{kind}", kind[:1].upper() + kind[1:])
        found: dict[str, Any] = {"operationId": name, "tags": [self.tag], "summary": self.summary}
        if self.description:
            found["description"] = self.description
        if parameters := [*(_in_path(name, kind) for name in path_names), *self.parameters]:
            found["parameters"] = parameters
        if self.body:
            content = {kind: {"schema": schema} for kind, schema in self.body.items()}
            found["requestBody"] = {"required": True, "content": content}
        found["security"] = [] if self.is_public else [{"bearer": []}]
        found["responses"] = self._responses()
        return found

    @property
    def statuses(self) -> set[int]:
        """Every status that this operation answers with."""
        always = {406} if self.is_public else {401, 406}
        return {*self.answers, *self.refusals, *always}

    def _responses(self) -> dict[str, Any]:
        served = {str(status): _response(answer) for status, answer in self.answers.items()}
        if self.links:
            served[str(next(iter(self.answers)))]["links"] = dict(self.links)
        refused = self.statuses - set(self.answers)
        return served | {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(refused)}


def refusal_responses() -> dict[str, Any]:
    """The problem documents by status, as components."""
    content = {PROBLEM: {"schema": ref("Problem")}}
    return {str(status): {"description": text, "content": content} for status, text in REFUSALS.items()}


def _in_path(name: str, kind: str) -> Parameter:
    if name == "value":
        return member(kind)
    schema, description = PATH[name]
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _response(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.description}
    if answer.content:
        found["content"] = {kind: {"schema": schema} for kind, schema in answer.content.items()}
    if answer.headers:
        found["headers"] = {
            name: {"$ref": f"#/components/headers/{component}"} for name, component in answer.headers.items()
        }
    return found
