"""Posting a plan through the front doors (capture, scan API, logger upload, desks) on the simulated clock."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from ledger import api as ledger
from traceability.common import clock, projection
from traceability.common.models import Cursor

from . import desks, events
from .plan import Action, Plan

SETTLE_TIMEOUT_SECONDS = 60


class DoorError(Exception):
    """A front door refused what the simulator brought; the message says which and why."""


class Driver:
    """Posts actions in order; before goods are touched again it waits until the house has seen the last touch."""

    def __init__(self, *, base_url: str, tokens: Mapping[str, str], users: desks.Users | None = None) -> None:
        self.tokens, self.users = tokens, users or {}
        self.client = httpx.Client(base_url=base_url, timeout=60)
        self.touched: set[str] = set()

    def run(self, plan: Plan) -> Iterator[int]:
        """Post everything; yields after each action the number posted so far."""
        for number, action in enumerate(plan.actions, start=1):
            if self.touched & action.keys:
                self.settle()
            clock.set_simulated_ms(action.at_ms + 1000)
            getattr(self, f"_{action.door}")(action)
            self.touched |= action.keys
            yield number
        self.settle()

    def send(self, party: str, document: Mapping[str, Any]) -> None:
        """Send an EPCIS document as a party's own software does; it waits while the house takes nothing more in."""
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Authorization": f"Bearer {self.tokens[party]}", "Content-Type": "application/json"}
        while (response := self.client.post("/epcis/capture", content=body, headers=headers)).status_code == 503:
            time.sleep(float(response.headers.get("Retry-After", 1)))
        if response.status_code != 202:
            raise DoorError(f"{party}: {response.status_code} {response.text}")

    def settle(self) -> None:
        """Wait until everything posted is published and folded."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if ledger.backlog() == 0 and self._folded():
                self.touched.clear()
                return
            time.sleep(0.005)
        raise DoorError(f"not folded within {SETTLE_TIMEOUT_SECONDS} s: is the engine running?")

    def _folded(self) -> bool:
        size = ledger.published_size()
        positions = dict(Cursor.objects.values_list("projection", "position"))
        return all(positions.get(fold.name, 0) >= size for fold in projection.all_projections())

    def _events(self, action: Action) -> None:
        document = events.document(action.data["events"], action.at_ms)
        self._post(action, "/epcis/capture", document, expected=202)

    def _scan(self, action: Action) -> None:
        self._post(action, "/api/v1/scans", action.data, expected=201)

    def _desk(self, action: Action) -> None:
        self.settle()  # people look before they act
        desks.work(action.data["task"], self.users, action.party, action.data)

    def _logger(self, action: Action) -> None:
        data = action.data
        lines = ["timestamp,temperature_c"]
        lines += [f"{_utc(at)},{value / 1000:.1f}" for at, value in data["readings"]]
        response = self.client.post(
            "/api/v1/logger-files",
            files={"file": (f"{data['device']}.csv", "\n".join(lines) + "\n", "text/csv")},
            data={"holder": data["holder"], "time_zone": "UTC"},
            headers=self._headers(action),
        )
        self._check(action, response, 201)

    def _post(self, action: Action, path: str, body: Mapping[str, Any], *, expected: int) -> None:
        response = self.client.post(
            path,
            content=json.dumps(body, ensure_ascii=False).encode(),
            headers={**self._headers(action), "Content-Type": "application/json"},
        )
        self._check(action, response, expected)

    def _headers(self, action: Action) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[action.party]}"}

    def _check(self, action: Action, response: httpx.Response, expected: int) -> None:
        if response.status_code != expected:
            raise DoorError(f"{action.party} {action.door} at {action.at_ms}: {response.status_code} {response.text}")


def _utc(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms // 1000))
