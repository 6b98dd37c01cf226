"""Signing in and out of the portal and the regulator's pages."""

from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from traceability.parties import selectors as parties


class SignInForm(AuthenticationForm):
    """User name and password; one message for every failure, so that it tells nothing about user names."""

    error_messages = {
        "invalid_login": _("User name or password is not right. Check Caps Lock and try again."),
        "inactive": _("User name or password is not right. Check Caps Lock and try again."),
    }


class SignIn(auth.LoginView):
    """The sign-in page; inspectors land on the alert list, everyone else on the tasks of their role."""

    template_name = "portal/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        member = parties.member_for(self.request.user)
        if member is not None and member.party.has_role("regulator"):
            return "/regulator/"
        return reverse("portal:home")


class SignOut(auth.LogoutView):
    """Ends the session (POST only)."""

    next_page = "/"
