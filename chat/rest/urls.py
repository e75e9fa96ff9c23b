"""Every path of the REST door but sign-in; to be included under ``api/``."""

from __future__ import annotations

from django.urls import path, re_path

from chat.rest.bans import BanViewSet
from chat.rest.browsable import NOWHERE
from chat.rest.direct import DirectViewSet
from chat.rest.groups import GroupViewSet
from chat.rest.log import LogViewSet, SyncViewSet
from chat.rest.members import MemberViewSet, RoomMemberViewSet
from chat.rest.messages import HistoryViewSet, MessageViewSet, PinsViewSet
from chat.rest.people import MeViewSet, UserViewSet
from chat.rest.rooms import OwnPlaceViewSet, RoomViewSet
from chat.rest.root import NowhereViewSet, RootViewSet

app_name = "chat_rest"

LIST = {"get": "list"}
ONE = {"get": "retrieve"}
ADD = {"post": "create"}
CHANGE = {"patch": "partial_update"}
REMOVE = {"delete": "destroy"}
ANYTHING = dict.fromkeys(["get", "post", "put", "patch", "delete", "options"], "nothing")

urlpatterns = [
    path("", RootViewSet.as_view(LIST, name="Chat API"), name="root"),
    path("users/me/", MeViewSet.as_view(ONE | CHANGE, name="My profile"), name="me"),
    path("users/", UserViewSet.as_view(LIST, name="People"), name="users"),
    path("users/<uuid:user>/", UserViewSet.as_view(ONE, name="Person"), name="user"),
    path("rooms/", RoomViewSet.as_view(LIST, name="My rooms"), name="rooms"),
    path("rooms/<uuid:room>/", RoomViewSet.as_view(ONE | CHANGE, name="Room"), name="room"),
    path(
        "rooms/<uuid:room>/messages/",
        HistoryViewSet.as_view(LIST | ADD, name="Messages"),
        name="history",
    ),
    path("rooms/<uuid:room>/pins/", PinsViewSet.as_view(LIST, name="Pinned messages"), name="pins"),
    path(
        "rooms/<uuid:room>/read/",
        OwnPlaceViewSet.as_view({"post": "read"}, name="Read up to"),
        name="read",
    ),
    path(
        "rooms/<uuid:room>/unread/",
        OwnPlaceViewSet.as_view({"post": "unread"}, name="Mark unread"),
        name="unread",
    ),
    path(
        "rooms/<uuid:room>/me/",
        OwnPlaceViewSet.as_view({"patch": "keep"}, name="How I keep the room"),
        name="keep",
    ),
    path(
        "rooms/<uuid:room>/members/",
        RoomMemberViewSet.as_view(LIST, name="Who is in"),
        name="room-members",
    ),
    path("rooms/<uuid:room>/log/", LogViewSet.as_view(LIST, name="Log"), name="log"),
    path("groups/", GroupViewSet.as_view(LIST | ADD, name="Groups"), name="groups"),
    path(
        "groups/<uuid:room>/",
        GroupViewSet.as_view(ONE | CHANGE | REMOVE, name="Group"),
        name="group",
    ),
    path(
        "groups/<uuid:room>/join/", GroupViewSet.as_view({"post": "join"}, name="Join"), name="join"
    ),
    path(
        "groups/<uuid:room>/leave/",
        GroupViewSet.as_view({"post": "leave"}, name="Leave"),
        name="leave",
    ),
    path(
        "groups/<uuid:room>/members/",
        MemberViewSet.as_view(LIST | ADD, name="Members"),
        name="members",
    ),
    path(
        "groups/<uuid:room>/members/<uuid:user>/",
        MemberViewSet.as_view(ONE | CHANGE | REMOVE, name="Member"),
        name="member",
    ),
    path(
        "groups/<uuid:room>/bans/",
        BanViewSet.as_view(LIST | ADD, name="Bans"),
        name="bans",
    ),
    path(
        "groups/<uuid:room>/bans/<uuid:user>/",
        BanViewSet.as_view(ONE | REMOVE, name="Ban"),
        name="ban",
    ),
    path("direct/", DirectViewSet.as_view(LIST | ADD, name="Direct rooms"), name="direct"),
    path("messages/", MessageViewSet.as_view(ADD, name="Send a message"), name="messages"),
    path(
        "messages/<uuid:message>/",
        MessageViewSet.as_view(ONE | CHANGE | REMOVE, name="Message"),
        name="message",
    ),
    path(
        "messages/<uuid:message>/pin/",
        MessageViewSet.as_view({"post": "pin", "delete": "unpin"}, name="Pin"),
        name="pin",
    ),
    path("sync/", SyncViewSet.as_view(ADD, name="Catch up"), name="sync"),
    re_path("", NowhereViewSet.as_view(ANYTHING, name=NOWHERE)),
]
