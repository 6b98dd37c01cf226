"""openepcis-client, run in the venv of the checkers: python openepcis.py TASK < facts.json, the answer as JSON."""

import json
import sys
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openepcis_client.core.client import Client
from openepcis_client.core.config import ClientConfig
from openepcis_client.core.errors import OpenEpcisError
from openepcis_client.events.document import document, instance_uri, object_event, stamp_event_ids
from openepcis_client.events.service import Capture, Query


class Token:
    """A bearer that never runs out."""

    def __init__(self, plain: str) -> None:
        self._plain = plain

    def bearer(self) -> str:
        return self._plain

    def invalidate(self) -> None:
        raise AssertionError("the house refused a good token")


def _client(facts: dict[str, Any]) -> Client:
    return Client(ClientConfig(facts["url"]), Token(facts["token"]))


def capture(facts: dict[str, Any]) -> Any:
    service = Capture(_client(facts))
    assert service.check() == ""
    events = [
        object_event(
            action="OBSERVE",
            event_time=datetime.fromisoformat(facts["time"]),
            biz_step="storing",
            disposition="in_progress",
            epcs=[instance_uri(facts["gtin"], serial=serial)],
            read_point="4012345000054",
        )
        for serial in facts["serials"]
    ]
    found = stamp_event_ids(document(events))
    receipt = service.submit(found)
    assert receipt.answerable
    outcome = service.outcome(receipt)
    while outcome.running:
        outcome = service.outcome(receipt)
    again = service.submit(found)
    unknown = service.outcome("nothing")
    return {
        "success": outcome.success,
        "errors": outcome.errors,
        "ids": receipt.event_ids,
        "same_job": again.job == receipt.job,
        "unknown": unknown.known,
    }


def refused(facts: dict[str, Any]) -> Any:
    try:
        Capture(_client(facts)).submit({**document([]), "epcisBody": {"eventList": [{"type": "ObjectEvent"}]}})
    except OpenEpcisError as error:
        return {"status": error.status, "message": str(error)}
    return {"status": 202}


def query(facts: dict[str, Any]) -> Any:
    service = Query(_client(facts))
    assert service.check() == ""
    return list(service.since(facts["since"], per_page=facts["per_page"]))


def pages(facts: dict[str, Any]) -> Any:
    """Page after page: the client's own paging looks for the token in the body, the standard has it in `Link`."""
    client, found = _client(facts), []
    parameters: dict[str, Any] = {"perPage": facts["per_page"], "GE_recordTime": facts["since"]}
    while parameters:
        answer = client.request("GET", "/events", params=parameters, raw=True)
        found.append(answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"])
        following = answer.links.get("next", {}).get("url", "")
        parameters = dict(parse_qsl(urlsplit(following).query))
    return found


def hashes(facts: dict[str, Any]) -> Any:
    return [event["eventID"] for event in stamp_event_ids(facts["document"])["epcisBody"]["eventList"]]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](json.load(sys.stdin))))
