"""How a document in XML spells the standard's words, and identifiers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from traceability.epcis import vocabulary as cbv
from traceability.epcis.vocabulary import Vocabulary

CbvFormat = Literal["urn", "web", "as-is"]
_URN = "urn:epcglobal:cbv:"
_WEB = "https://ref.gs1.org/cbv/"
# What XML writes before a bare word: as URN, and as Web URI. Of the last three CBV has no URNs.
_BEFORE: dict[str, tuple[str, str]] = {
    cbv.BIZ_STEP.name: (f"{_URN}bizstep:", f"{_WEB}BizStep-"),
    cbv.DISPOSITION.name: (f"{_URN}disp:", f"{_WEB}Disp-"),
    cbv.BIZ_TRANSACTION_TYPE.name: (f"{_URN}btt:", f"{_WEB}BTT-"),
    cbv.SOURCE_DESTINATION_TYPE.name: (f"{_URN}sdt:", f"{_WEB}SDT-"),
    cbv.ERROR_REASON.name: (f"{_URN}er:", f"{_WEB}ER-"),
    cbv.COMPONENT.name: ("cbv:Comp-", f"{_WEB}Comp-"),
    cbv.MEASUREMENT_TYPE.name: ("gs1:", "https://gs1.org/voc/"),
    cbv.SENSOR_EXCEPTION.name: ("gs1:", "https://gs1.org/voc/"),
}


def _same(uri: str) -> str:
    return uri


@dataclass(frozen=True)
class Spelling:
    """`cbv`: words as URNs, as Web URIs, or (as-is) those that JSON has as URIs left so; `epc`: what an EPC becomes."""

    cbv: CbvFormat = "urn"
    epc: Callable[[str], str] = _same

    def term(self, vocabulary: Vocabulary, term: str) -> str:
        """A word of `vocabulary` as XML spells it; a term of someone's own as it is."""
        word = vocabulary.bare(term)
        if word not in vocabulary.words or (self.cbv == "as-is" and term != word):
            return term
        return _BEFORE[vocabulary.name][self.cbv == "web"] + word
