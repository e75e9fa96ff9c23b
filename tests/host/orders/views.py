"""The host's own views, with DRF's defaults as the host has set them; one of them speaks in a room."""

from __future__ import annotations

from typing import Any

from accounts.models import Account
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView

from chat.actions.people import profile_for
from chat.actions.sending import Draft, send_message


class AccountSerializer(ModelSerializer):
    class Meta:
        model = Account
        fields = ("email",)


class Orders(ListAPIView):
    """A list, in pages as the host has them."""

    queryset = Account.objects.order_by("email")
    serializer_class = AccountSerializer


class Asked(APIView):
    """Says what was sent, as the host's parser took it."""

    def post(self, request: Any) -> Response:
        return Response(request.data)


class Shipped(APIView):
    """Tells the room of a parcel, within the transaction of the request; some parcels do not leave."""

    def post(self, request: Any, room: Any) -> Response:
        request.user.pays = True
        request.user.save()
        send_message(Draft(profile_for(request.user), room, request.data["text"]))
        if "lost" in request.data:
            raise ValidationError
        return Response({}, status=201)
