"""Names in XML (a namespace and a local name) and in JSON (a bare word, or a CURIE whose prefix a context declares)."""

from collections.abc import Mapping

from traceability.epcis import context
from traceability.epcis.source import SourceError
from traceability.epcis.validation import TERMS

from .elements import MAX_NAMESPACES, XML

EPCIS_2, EPCIS_1 = "urn:epcglobal:epcis:xsd:2", "urn:epcglobal:epcis:xsd:1"
QUERY_2, QUERY_1 = "urn:epcglobal:epcis-query:xsd:2", "urn:epcglobal:epcis-query:xsd:1"
MASTER_2, MASTER_1 = "urn:epcglobal:epcis-masterdata:xsd:2", "urn:epcglobal:epcis-masterdata:xsd:1"
# The schemas leave local names unqualified; many programs qualify them all the same.
STANDARD = frozenset({"", EPCIS_2, EPCIS_1, QUERY_2, QUERY_1, MASTER_2, MASTER_1})
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
GS1_US = "http://epcis.gs1us.org/hc/ns"
# Ours: an element of this namespace, `member`, stands for the member that its attribute `name` names.
MEMBER = "urn:dosetrail:xml"
# In scope for XML's own sake: a value that begins like them means something else.
_NOT_DECLARED = STANDARD | {XML, XSI, MEMBER}
# Master data attributes: XML names the namespace without the colon that the prefix of JSON ends in.
MDA = "urn:epcglobal:cbv:mda"
_PROTECTED: Mapping[str, str] = {
    **{uri: prefix for prefix, uri in context.PREFIXES.items()},
    MDA: "cbvmda",
    "https://gs1.org/voc/": "gs1",
    "https://www.gs1.org/voc/": "gs1",
}


class Prefixes:
    """The prefixes under which one event, or the document around the events, spells the names of others.

    A prefix is the one that the XML uses, unless the standard's context gives it a meaning of its own, or it stands
    for another namespace already; then it is `ns1`, `ns2`, … `fixed` are namespaces with a prefix that never varies.
    """

    def __init__(self, scope: Mapping[str, str], fixed: Mapping[str, str] | None = None) -> None:
        self._scope = scope
        self._fixed = fixed or {}
        self._by_namespace: dict[str, str] = {}
        self.declared: dict[str, str] = {}

    def name(self, namespace: str, prefix: str, local: str) -> str:
        """The CURIE of a name in someone's namespace; a name in none stays as it is."""
        if not namespace:
            return local
        known = _PROTECTED.get(namespace) or self._by_namespace.get(namespace)
        return f"{known or self._declare(namespace, prefix)}:{local}"

    def declare_used_in(self, value: object) -> None:
        """Declare the prefixes in scope that values begin with, such as `example:x` in a component."""
        for prefix in sorted(context.prefixes_used(value)):
            namespace = self._scope.get(prefix)
            if namespace and namespace not in _NOT_DECLARED and self._is_free(prefix):
                self.declared[prefix] = namespace

    def _declare(self, namespace: str, prefix: str) -> str:
        if len(self.declared) == MAX_NAMESPACES:
            raise SourceError("xml-too-large", f"more than {MAX_NAMESPACES} namespaces in one event")
        chosen = self._fixed.get(namespace, prefix)
        number = 0
        while not self._is_free(chosen):
            number += 1
            chosen = f"ns{number}"
        self._by_namespace[namespace] = chosen
        self.declared[chosen] = namespace
        return chosen

    def _is_free(self, prefix: str) -> bool:
        taken = prefix in self.declared or prefix in context.PREFIXES or prefix in TERMS
        return not taken and context.is_prefix(prefix)
