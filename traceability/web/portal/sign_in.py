"""Signing in and out of the portal and the regulator's pages."""

from typing import Any

from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from traceability.parties import selectors as parties
from traceability.parties import throttle


class SignInForm(AuthenticationForm):
    """User name and password; one message for every failure, so that it tells nothing about user names."""

    error_messages = {
        "invalid_login": _("User name or password is not right. Check Caps Lock and try again."),
        "inactive": _("User name or password is not right. Check Caps Lock and try again."),
        "wait": _("Too many wrong passwords for this user name. Try again in %(minutes)d minutes."),
    }
    wait_seconds = 0

    def clean(self) -> dict[str, Any]:
        """Look at the password unless the user name has to wait; every failure counts."""
        username = self.cleaned_data.get("username") or ""
        self.wait_seconds = throttle.wait_seconds(username)
        if self.wait_seconds:
            minutes = -(-self.wait_seconds // 60)
            raise ValidationError(self.error_messages["wait"], code="wait", params={"minutes": minutes})
        try:
            cleaned = super().clean()
        except ValidationError:
            throttle.note_failure(username)
            raise
        throttle.forget(username)
        return cleaned


class SignIn(auth.LoginView):
    """The sign-in page; inspectors land on the alert list, everyone else on the tasks of their role."""

    template_name = "portal/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.wait_seconds:
            response.status_code = 429
            response["Retry-After"] = str(form.wait_seconds)
        return response

    def get_default_redirect_url(self) -> str:
        member = parties.member_for(self.request.user)
        if member is not None and member.party.has_role("regulator"):
            return "/regulator/"
        return reverse("portal:home")


class SignOut(auth.LogoutView):
    """Ends the session (POST only)."""

    next_page = "/"
