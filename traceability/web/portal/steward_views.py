"""What partners' documents say of the organisation's own products and places."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from traceability.parties.models import Member
from traceability.web.shared import names, steward_pages

from .access import member_view


@never_cache
@member_view
def master_data(request: HttpRequest, member: Member) -> HttpResponse:
    """The queue of the organisation's stewards; POST action=accept|reject|accept-new."""
    return steward_pages.queue(
        request, member, template="portal/master_data.html", here="portal:master-data", zone=names.zone_of(member)
    )
