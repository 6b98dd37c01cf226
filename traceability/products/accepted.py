"""What is accepted of a thing by now: our own row's word first, then what stewards accepted of partners' words."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from traceability.common import bulk
from traceability.epcis.master_data import Element, value_key, values_of

from . import own
from .models import VocabularyAttribute, VocabularyEdge, VocabularyElement

CHILDREN = "children"  # stands for the list of children where names of attributes are listed


@dataclass
class Accepted:
    """One thing: `attributes` and who said each (empty = our own row); `row` is ours, if there is one."""

    uri: str
    row: Model | None = None
    types: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    reporters: dict[str, str] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)

    def says(self, name: str, value: Any) -> bool:
        """Whether the attribute is accepted with just this value."""
        if name not in self.attributes:
            return False
        stated = own.as_stated(self.row, name, value) if self.row else value
        return keys_of(self.attributes[name]) == keys_of(stated)

    def new_in(self, element: Element) -> list[str]:
        """The names under which `element` says what is not accepted, or says it otherwise; sorted."""
        names = [name for name, value in element.attributes.items() if not self.says(name, value)]
        return sorted([*names, CHILDREN] if set(element.children) - self.children else names)

    def contradicted_by(self, element: Element) -> list[str]:
        """Of those names, the ones of which something else is accepted."""
        return [name for name in self.new_in(element) if name in self.attributes]

    @property
    def digest(self) -> str:
        """What a decision rests on, so that one made on an older view is noticed."""
        said = [self.attributes, sorted(self.children)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def of(uris: Collection[str]) -> dict[str, Accepted]:
    """What is accepted of each of these canonical URIs; about ten queries, however many they are."""
    found = {uri: Accepted(uri) for uri in uris}
    for element in bulk.among(VocabularyElement.objects.all(), "uri", uris):
        found[element.uri].types = element.types
    stated: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for one in bulk.among(VocabularyAttribute.objects.order_by("id"), "element_id", uris):
        stated[one.element_id, one.name].append(one.value)
        found[one.element_id].reporters[one.name] = one.reporter
    for (uri, name), values in stated.items():
        found[uri].attributes[name] = values[0] if len(values) == 1 else values
    for edge in bulk.among(VocabularyEdge.objects.all(), "parent", uris):
        found[edge.parent].children.add(edge.child)
    for uri, row in own.rows_of(uris).items():
        said = own.said_by(row)
        found[uri].row = row
        found[uri].attributes |= said
        found[uri].reporters |= dict.fromkeys(said, "")
    return found


def keys_of(value: Any) -> set[str]:
    """The values of an attribute as keys that can be compared."""
    return {value_key(one) for one in values_of(value)}


def contradict(one: Element, others: Iterable[Element]) -> bool:
    """Whether any of `others` gives an attribute of `one` another value."""
    return any(
        keys_of(other.attributes[name]) != keys_of(value)
        for other in others
        for name, value in one.attributes.items()
        if name in other.attributes
    )
