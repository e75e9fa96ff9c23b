"""How people and their devices look from outside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.models import Device, Profile
from chat.serializers.fields import IdField, PlainNameField, WebAddressField, rfc3339


class UserSerializer(serializers.Serializer[Profile]):
    """**user**: what anyone may see of a person; of a deleted account, no more than that it was one."""

    id = IdField()
    username = serializers.CharField(allow_blank=True)
    display_name = serializers.CharField(allow_blank=True)
    avatar_url = serializers.CharField(allow_null=True)
    deleted = serializers.BooleanField()

    def to_representation(self, instance: Profile) -> dict[str, Any]:
        deleted = instance.deleted_at is not None
        return {
            "id": str(instance.pk),
            "username": "" if deleted else instance.username,
            "display_name": "" if deleted else instance.display_name or instance.username,
            "avatar_url": None if deleted else instance.avatar_url or None,
            "deleted": deleted,
        }


class SuspensionSerializer(serializers.Serializer[Profile]):
    """Until when a person may write nothing in the whole service (null: until it is lifted), and why."""

    until = serializers.CharField(allow_null=True)
    reason = serializers.CharField()

    def to_representation(self, instance: Profile) -> dict[str, Any]:
        return {"until": rfc3339(instance.suspended_until), "reason": instance.suspension_reason}


class OwnProfileSerializer(UserSerializer):
    """**user** as the person sees it, with what only they may know and change."""

    direct_from = serializers.ChoiceField(choices=Profile.DirectFrom.choices)
    groups_from = serializers.ChoiceField(choices=Profile.DirectFrom.choices, allow_null=True)
    suspended = SuspensionSerializer(allow_null=True)

    def to_representation(self, instance: Profile) -> dict[str, Any]:
        return {
            **super().to_representation(instance),
            "direct_from": instance.direct_from,
            "groups_from": instance.groups_from,
            "suspended": own_suspension(instance),
        }


class ProfileChangeSerializer(serializers.Serializer[Profile]):
    """What a person may change of their own profile; an empty value takes the field back."""

    display_name = PlainNameField(max_length=100, allow_blank=True, required=False)
    avatar_url = WebAddressField(required=False)
    direct_from = serializers.ChoiceField(choices=Profile.DirectFrom.choices, required=False)
    groups_from = serializers.ChoiceField(
        choices=Profile.DirectFrom.choices,
        required=False,
        allow_null=True,
        help_text="Who may add me to a group; null: as direct_from.",
    )


class DeviceSerializer(serializers.Serializer[Device]):
    """**device**: a client that this person is signed in on."""

    id = IdField()
    name = serializers.CharField(allow_blank=True)
    created_at = serializers.CharField()
    seen_at = serializers.CharField()

    def to_representation(self, instance: Device) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "name": instance.name,
            "created_at": rfc3339(instance.created_at),
            "seen_at": rfc3339(instance.seen_at),
        }


def own_suspension(person: Profile) -> dict[str, Any] | None:
    """Return the suspension that holds for a person now, or None."""
    return SuspensionSerializer().to_representation(person) if person.is_suspended else None


def user_or_none(profile: Profile | None) -> dict[str, Any] | None:
    """Return the **user** shape, or None where nobody is named."""
    return None if profile is None else UserSerializer().to_representation(profile)
