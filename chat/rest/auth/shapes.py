"""What is said at sign-up and sign-in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from rest_framework import serializers

from chat.actions.registering import registration_faults, signs_in_by_email
from chat.serializers.fields import PlainTextField
from chat.serializers.people import OwnProfileSerializer


def password_field() -> serializers.CharField:
    """Return a field that neither trims nor shows; bounded, because hashing takes time."""
    return serializers.CharField(
        max_length=1024,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password", "autocomplete": "off"},
    )


class RegistrationSerializer(serializers.Serializer[Any]):
    """A new account: the handle that others will see, and a password.

    Where people sign in with their e-mail address, `email` is required and `username` is not. With `device`,
    even an empty one, the answer signs in on that device.
    """

    username = serializers.CharField(max_length=64)
    password = password_field()
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    device = PlainTextField(max_length=200, allow_blank=True, required=False)

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        by_email = signs_in_by_email()
        fields["username"].required = not by_email
        fields["username"].allow_blank = by_email
        fields["email"].required = by_email
        return fields

    def faults(self, data: Mapping[str, Any], wrong: Collection[str]) -> Mapping[str, Any]:
        """Return what else is wrong with the fields of a valid form. Raises Forbidden where nobody may register."""
        sound = {
            name: data[name].strip() if name != "password" else data[name]
            for name in ("username", "password", "email")
            if name not in wrong and _is_text(data.get(name))
        }
        return registration_faults(**sound).fields


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


class RegisteredSerializer(serializers.Serializer[Any]):
    """A new person, and the first tokens of the device that they registered on."""

    user = OwnProfileSerializer()
    access = serializers.CharField()
    refresh = serializers.CharField()


class CredentialsSerializer(serializers.Serializer[Any]):
    """Who signs in, and on what. The name may also come under the host's own word for it."""

    username = serializers.CharField(max_length=254)
    password = password_field()
    device = PlainTextField(max_length=200, allow_blank=True, required=False)

    def prepared(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data with the name of the account under `username`."""
        own = get_user_model().USERNAME_FIELD
        if own == "username" or own not in data:
            return data
        rest = {name: data[name] for name in data if name != own}
        return {"username": data[own], **rest}


class RefreshSerializer(serializers.Serializer[Any]):
    """The refresh token that was given last."""

    refresh = serializers.CharField(max_length=4096)


class TokensSerializer(serializers.Serializer[Any]):
    """An access token for every request, and a refresh token for the next pair: good once."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class TicketSerializer(serializers.Serializer[Any]):
    """What opens one socket, as `?ticket=`, within so many seconds."""

    ticket = serializers.CharField()
    expires_in = serializers.IntegerField()
