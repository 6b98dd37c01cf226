"""Why a password and reason were not enough for a high-risk action, in words (parties.services.ConfirmationError)."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# code -> the field that mends it, and what to do
FAULTS: Mapping[str, tuple[str, str | Promise]] = {
    "reason-missing": ("reason", _("Say why.")),
    "password-wrong": ("password", _("The password is not right. Nothing was recorded.")),
    "password-wait": ("password", _("Too many wrong passwords. Try again in a quarter of an hour.")),
}
