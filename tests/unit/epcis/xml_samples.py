"""The samples of `samples.py` once more, written by hand in XML as EPCIS 2.0 and as 1.2 write them."""

from .samples import CASE, LOT, PACK

OURS = "https://ours.example/ns/"
_MDA = 'xmlns:cbvmda="urn:epcglobal:cbv:mda"'
_WHEN = "<eventTime>2026-03-01T12:00:00.250+08:00</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
_STEP = "<bizStep>urn:epcglobal:cbv:bizstep:{}</bizStep>"
_READ_POINT = "<readPoint><id>https://id.gs1.org/414/4012345000054</id><ours:dock>4</ours:dock></readPoint>"
_PLACES = f"{_READ_POINT}<bizLocation><id>urn:epc:id:sgln:4012345.00005.0</id></bizLocation>"
_TRANSACTIONS = (
    '<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">'
    "urn:epc:id:gdti:0614141.00001.1618034</bizTransaction></bizTransactionList>"
)
_PARTNERS = """<sourceList>
    <source type="urn:epcglobal:cbv:sdt:owning_party">urn:dosetrail:party:maker</source>
  </sourceList>
  <destinationList><destination type="urn:epcglobal:cbv:sdt:owning_party">
    https://id.gs1.org/417/4012345000054
  </destination></destinationList>"""
_SENSORS = """<sensorElementList><sensorElement>
    <sensorMetadata time="2026-03-01T11:59:00+08:00" deviceID="urn:epc:id:giai:4000001.111"/>
    <sensorReport type="gs1:Temperature" value="5.250" uom="CEL" component="x"/>
    <sensorReport exception="ALARM_CONDITION"/>
  </sensorElement></sensorElementList>"""
_PERSISTENT = """<persistentDisposition><set>urn:epcglobal:cbv:disp:completeness_verified</set>
    <unset>urn:epcglobal:cbv:disp:completeness_inferred</unset></persistentDisposition>"""
_ILMD = (
    f"<ilmd {_MDA}><cbvmda:lotNumber>998877</cbvmda:lotNumber>"
    "<cbvmda:itemExpirationDate>2028-02-29</cbvmda:itemExpirationDate></ilmd>"
)
_ID = "<eventID>urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8</eventID>"
_ERROR = """<errorDeclaration><declarationTime>2026-03-02T00:00:00Z</declarationTime>
    <reason>urn:epcglobal:cbv:er:incorrect_data</reason>
    <correctiveEventIDs><correctiveEventID>urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8</correctiveEventID>
    </correctiveEventIDs><ours:why>typed wrongly</ours:why></errorDeclaration>"""
_CERTIFICATE = "<certificationInfo>https://accreditation.example/certificate/1</certificationInfo>"
_EPCS = f"<epcList><epc>{PACK}A1</epc><!-- the second --><epc> {PACK}A2 </epc></epcList>"
_NOTE = "<ours:note><ours:list>1</ours:list><ours:list><ours:deep>x</ours:deep></ours:list></ours:note>"


def _quantity(name: str, quantity: str = "", epc_class: str = LOT) -> str:
    amount = f"<quantity>{quantity}</quantity>" if quantity else ""
    uom = "<uom>KGM</uom>" if "." in quantity else ""
    return f"<{name}><quantityElement><epcClass>{epc_class}</epcClass>{amount}{uom}</quantityElement></{name}>"


_PACKED = f"""{{extra}}<parentID>{CASE}</parentID><childEPCs><epc>{PACK}A1</epc><epc>{PACK}A2</epc></childEPCs>
  <action>ADD</action>{_STEP.format("packing")}{_PLACES}"""
_SHIPPED = f"""{_TRANSACTIONS}<parentID>{CASE}</parentID><epcList><epc>{PACK}A1</epc></epcList><action>OBSERVE</action>
  {_STEP.format("shipping")}"""
_BUILT = f"""<AssociationEvent>{_WHEN}<parentID>urn:epc:id:sgln:4012345.00005.0</parentID>
  <childEPCs><epc>urn:epc:id:giai:4000001.111</epc></childEPCs><action>ADD</action>{_STEP.format("assembling")}
  </AssociationEvent>"""
_MADE = f"""<TransformationEvent>{_WHEN}<inputEPCList><epc>{PACK}A1</epc></inputEPCList>
  {_quantity("inputQuantityList", "3")}<outputEPCList><epc>{PACK}B1</epc></outputEPCList>
  {_quantity("outputQuantityList", "3", PACK.removesuffix("/21/"))}
  <transformationID>urn:epc:id:gdti:4012345.00009.PO-4711</transformationID>{_STEP.format("repackaging")}
  <ilmd {_MDA}><cbvmda:lotNumber>998878</cbvmda:lotNumber></ilmd></TransformationEvent>"""
_COUNTED = f"""<ours:Stocktake>{_WHEN}<ours:found>12</ours:found>{_STEP.format("stock_taking")}</ours:Stocktake>"""

EVENTS_2_0: dict[str, str] = {
    "ObjectEvent": f"""<ObjectEvent>{_WHEN}{_ID}{_ERROR}{_CERTIFICATE}{_EPCS}<action>ADD</action>
      {_STEP.format("commissioning")}<disposition>urn:epcglobal:cbv:disp:active</disposition>{_PLACES}{_TRANSACTIONS}
      {_quantity("quantityList", "2.50")}{_PARTNERS}{_SENSORS}{_PERSISTENT}{_ILMD}{_NOTE}</ObjectEvent>""",
    "AggregationEvent": f"""<AggregationEvent>{_WHEN}{_PACKED.format(extra="")}
      {_quantity("childQuantityList", "10")}</AggregationEvent>""",
    "TransactionEvent": f"""<TransactionEvent>{_WHEN}{_SHIPPED}{_quantity("quantityList")}{_PARTNERS}
      </TransactionEvent>""",
    "AssociationEvent": _BUILT,
    "TransformationEvent": _MADE,
    "ours:Stocktake": _COUNTED,
}
EVENTS_1_2: dict[str, str] = {
    "ObjectEvent": f"""<ObjectEvent>{_WHEN}
      <baseExtension>{_ID}{_ERROR}<extension>{_CERTIFICATE}</extension></baseExtension>{_EPCS}<action>ADD</action>
      {_STEP.format("commissioning")}<disposition>urn:epcglobal:cbv:disp:active</disposition>{_PLACES}{_TRANSACTIONS}
      <extension>{_quantity("quantityList", "2.50")}{_PARTNERS}{_ILMD}<extension>{_SENSORS}{_PERSISTENT}</extension>
      </extension>{_NOTE}</ObjectEvent>""",
    "AggregationEvent": f"""<AggregationEvent>{_WHEN}{_PACKED.format(extra="")}
      <extension>{_quantity("childQuantityList", "10")}</extension></AggregationEvent>""",
    "TransactionEvent": f"""<TransactionEvent>{_WHEN}{_SHIPPED}
      <extension>{_quantity("quantityList")}{_PARTNERS}</extension></TransactionEvent>""",
    "AssociationEvent": f"<extension><extension>{_BUILT}</extension></extension>",
    "TransformationEvent": f"<extension>{_MADE}</extension>",
    "ours:Stocktake": _COUNTED,
}
EVENTS = {"2.0": EVENTS_2_0, "1.2": EVENTS_1_2}


def document(*events: str, version: str = "2.0", header: str = "", attributes: str = "") -> bytes:
    """An EPCISDocument of these events."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:{version[0]}" xmlns:ours="{OURS}" schemaVersion="{version}"
  creationDate="2026-03-01T12:00:00Z" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {attributes}>
  {header}<EPCISBody><EventList>{"".join(events)}</EventList></EPCISBody>
</epcis:EPCISDocument>""".encode()


def query_document(*events: str, version: str = "2.0") -> bytes:
    """An EPCISQueryDocument of these events."""
    query = f"urn:epcglobal:epcis-query:xsd:{version[0]}"
    return f"""<epcisq:EPCISQueryDocument xmlns:epcisq="{query}" xmlns:ours="{OURS}" schemaVersion="{version}"
  creationDate="2026-03-01T12:00:00Z"><EPCISBody><epcisq:QueryResults><queryName>SimpleEventQuery</queryName>
  <resultsBody><EventList>{"".join(events)}</EventList></resultsBody></epcisq:QueryResults></EPCISBody>
</epcisq:EPCISQueryDocument>""".encode()
