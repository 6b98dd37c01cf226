"""Bearer tokens: the party whose system calls."""

from typing import Any, cast

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from traceability.common import log_context
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.visibility import receipts


class PartyPrincipal:
    """What `request.user` is on the API: a party, not a person."""

    is_authenticated = True

    def __init__(self, party: Party) -> None:
        self.party = party


def party_of(request: Request) -> Party:
    """The party whose token a request carries."""
    return cast(PartyPrincipal, request.user).party


def may_read_entries(request: HttpRequest) -> bool:
    """Whether a request for the log's entries carries a party's token (settings.LOG_ENTRIES_READER)."""
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and plain.isascii() and parties.party_for_token(plain.strip()) is not None


def token_reader(plain: str) -> str:
    """How receipts name the bearer of a token: by a part of its digest."""
    return f"token:{parties.token_digest(plain)[:12]}"


class PartyTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate(self, request: Request) -> tuple[PartyPrincipal, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        try:
            plain = parts[1].decode("ascii")
        except (IndexError, UnicodeDecodeError) as error:
            raise AuthenticationFailed("the bearer token is missing or malformed") from error
        party = parties.party_for_token(plain)
        if party is None:
            raise AuthenticationFailed("the bearer token is unknown or revoked")
        log_context.bind(party=party.uri)
        receipts.read_by(party, token_reader(plain))
        return PartyPrincipal(party), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="dosetrail"'
