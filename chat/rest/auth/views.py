"""Sign-up, sign-in, its renewal and its end. No word of it is logged."""

from __future__ import annotations

import time
from math import inf
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import authenticate, get_user_model, logout
from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.devices import end_devices, end_outdated, open_device, renew_device
from chat.actions.people import profile_for, register_person
from chat.actions.tickets import LIFETIME, make_ticket
from chat.errors import Conflict, Forbidden, RateLimited, TokenExpired, Unauthenticated
from chat.limits.addresses import address_of, network_of
from chat.limits.password_checks import password_check
from chat.limits.sign_in import (
    count_registration,
    counting_bad_refreshes,
    counting_wrong_passwords,
)
from chat.queries.grounds import auth_hash_of, ends_at, grounds_of
from chat.queries.people import Person, devices_of
from chat.rest.answers import Answer, gone, listed
from chat.rest.auth.authentication import SignIn, living_account
from chat.rest.auth.shapes import (
    CredentialsSerializer,
    RefreshSerializer,
    RegisteredSerializer,
    RegistrationSerializer,
    TicketSerializer,
    TokensSerializer,
)
from chat.rest.auth.tokens import Pair, issue, read_refresh
from chat.rest.base import ChatViewSet
from chat.security_log import log_security_event
from chat.serializers.cleaning import tidy_message
from chat.serializers.people import DeviceSerializer, OwnProfileSerializer

# Seconds that a socket lives whose ticket was given to a sign-in by a class of the host's.
UNWATCHED = 600
WRONG = "The name or the password is wrong."


class OpenViewSet(ChatViewSet):
    """Views for whoever is not signed in yet: what a request carries of a sign-in is not looked at."""

    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []


class RegistrationViewSet(OpenViewSet):
    """Make an account. This alone may say that a name is taken."""

    inputs = {"create": RegistrationSerializer}
    outputs = {
        "create": Answer(
            OwnProfileSerializer,
            (201,),
            (Conflict, Forbidden, RateLimited),
            instead=RegisteredSerializer,
        )
    }

    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Make an account.

        With `device`, the answer also has the tokens of a new sign-in on that device.
        """
        count_registration(request)
        body = self.body()
        device = body.pop("device", None)
        with password_check(address_of(request)):
            person = register_person(**body)
        log_security_event("account.registered", person=person.pk, address=network_of(request))
        shape = OwnProfileSerializer().to_representation(person)
        if device is not None:
            shape = {"user": shape, **_signed_in(request, person, person.user, device).shape()}
        return Response(shape, status=201)


class TokenViewSet(OpenViewSet):
    """Sign in with name and password: a device, and its first tokens."""

    inputs = {"create": CredentialsSerializer}
    outputs = {"create": Answer(TokensSerializer, refuses=(Unauthenticated, RateLimited))}

    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Sign in with a name and a password.

        A new device is added to the account; its access and refresh tokens are returned. The answer to a
        wrong password does not say whether the account exists.
        """
        body = self.body()
        with counting_wrong_passwords(request, body["username"]):
            user = self.account(body["username"], body["password"])
        person = profile_for(user)
        # What a changed password has put an end to is listed no longer than until the new one is used.
        end_outdated([person.pk])
        return Response(_signed_in(request, person, user, body.get("device", "")).shape())

    @sensitive_variables()
    def account(self, name: str, password: str) -> Any:
        """Return the account. Raises Unauthenticated, in one wording and after the same work, whatever is wrong."""
        named = {get_user_model().USERNAME_FIELD: name}
        user = authenticate(self.request._request, **named, password=password)
        if user is None or not user.is_active:
            raise Unauthenticated(WRONG)
        return user


class RefreshViewSet(OpenViewSet):
    """Renew the tokens. A refresh token is good once: used again it ends the device."""

    inputs = {"create": RefreshSerializer}
    outputs = {
        "create": Answer(TokensSerializer, refuses=(Unauthenticated, TokenExpired, RateLimited))
    }

    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair of tokens.

        Each refresh token can be used once. A second use ends the device, because the token may be stolen.
        """
        token = self.body()["refresh"]
        with counting_bad_refreshes(request):
            claims = read_refresh(token)
            living_account(claims.sid)
            pair = issue(claims.sid)
            renew_device(claims.sid, old_jti=claims.jti, new_jti=pair.refresh_jti)
        return Response(pair.shape())


class TicketViewSet(ChatViewSet):
    """A ticket for one socket, which a browser can give no header: good once, and for seconds."""

    outputs = {"create": Answer(TicketSerializer)}

    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Create a ticket that opens one socket.

        Browsers cannot set headers on a WebSocket. They append the ticket as `?ticket=` within the
        seconds that `expires_in` gives.
        """
        session = getattr(request._request, "session", None)
        grounds = grounds_of(self.viewer, request.user, request.auth, session)
        until = ends_at(request.auth)
        if grounds.device is None and grounds.session is None:
            # A ticket holds no credentials that the class could be shown again, so its socket has an end at least.
            until = min(until or inf, time.time() + UNWATCHED)
        ticket = make_ticket(self.viewer, grounds, until)
        return Response({"ticket": ticket, "expires_in": LIFETIME})


class LogoutViewSet(ChatViewSet):
    """End the sign-in that asks: its tokens fail at once."""

    # Whoever wrote too much may still go.
    writes = False
    outputs = {"create": gone()}

    def create(self, request: Request) -> Response:
        """Sign out the device or session of this request.

        Its tokens stop working at once, and its sockets are closed.
        """
        if isinstance(request.auth, SignIn):
            end_devices(self.viewer, [request.auth.device])
        elif hasattr(request, "session"):
            logout(request._request)
        return Response(status=204)


class DeviceViewSet(ChatViewSet):
    """Where I am signed in, the last seen first; deleting signs out."""

    writes = False
    outputs = {"list": listed(DeviceSerializer), "destroy_all": gone(), "destroy": gone()}

    def list(self, request: Request) -> Response:
        """List the devices on which I am signed in, most recently seen first."""
        shape = DeviceSerializer().to_representation
        devices = devices_of(self.viewer, auth_hash_of(request.user))
        return self.page(devices, lambda found: [shape(one) for one in found])

    def destroy_all(self, request: Request) -> Response:
        """Sign out all my devices, including this one.

        Their tokens stop working at once, and their sockets are closed.
        """
        end_devices(self.viewer)
        return Response(status=204)

    def destroy(self, request: Request, device: UUID) -> Response:
        """Sign out one of my devices.

        Its tokens stop working at once, and its sockets are closed.
        """
        end_devices(self.viewer, [device])
        return Response(status=204)


@sensitive_variables()
def _signed_in(request: Request, person: Person, user: Any, device: str) -> Pair:
    """Open a device of the person, named as they say or after their browser, and return its first tokens."""
    sid = uuid4()
    pair = issue(sid)
    name = device or _agent(request)
    open_device(person, user, name=name, refresh_jti=pair.refresh_jti, sid=sid)
    log_security_event(
        "sign_in.succeeded", person=person.pk, device=sid, address=network_of(request)
    )
    return pair


def _agent(request: Request) -> str:
    return tidy_message(request.headers.get("User-Agent", "")[:400])
