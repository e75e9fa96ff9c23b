"""Acts of staff: chosen in a list or on a row's page, then a page that asks for the reason, then the domain."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import capfirst

from chat.actions.people import profile_for
from chat.admin.links import name_of
from chat.errors import ChatError
from chat.models import Membership, Profile
from chat.models.people import REASON_MAX
from chat.serializers.cleaning import TextRefused, clean_message, shows

# Rows that one act may be about; each is a transaction of its own.
MOST = 100

# Does the act to one row, with what the form said; returns whether it changed anything.
Act = Callable[[Profile, Any, dict[str, Any]], object]


class ReasonForm(forms.Form):
    """Why; without it nothing is done."""

    reason = forms.CharField(
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "autofocus": True}),
        help_text="Kept with your name in the moderation entries; members do not see it.",
    )

    def clean_reason(self) -> str:
        try:
            reason = clean_message(self.cleaned_data["reason"])
        except TextRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        if not shows(reason):
            raise forms.ValidationError(self.fields["reason"].error_messages["required"])
        return reason


class RoleForm(ReasonForm):
    """Which role, and why."""

    role = forms.ChoiceField(choices=Membership.Role.choices, initial=Membership.Role.MEMBER)
    field_order = ["role", "reason"]


class SuspensionForm(ReasonForm):
    """Why and until when a person is suspended, and what only staff read."""

    until = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=f"Time zone: {timezone.get_default_timezone_name()}. Leave it empty to suspend without an end.",
    )
    note = forms.CharField(
        required=False,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="For staff alone: kept in the moderation entry.",
    )
    field_order = ["reason", "until", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "reason"
        ].help_text = "The suspended person reads it. It is kept in the moderation entry too."

    def clean_until(self) -> datetime.datetime | None:
        until: datetime.datetime | None = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise forms.ValidationError("Give a time in the future, or leave it empty.")
        return until


def acting(
    name: str,
    label: str,
    done: str,
    act: Act,
    form: type[ReasonForm] = ReasonForm,
    says: str = "",
    one: str = "",
) -> Any:
    """Return an action of the admin. ``done`` is what is said of one row, ``says`` what the page warns of.

    ``one`` is the label where there is one row alone, if it is another.
    """

    @admin.action(permissions=["moderate"], description=label)
    def run(table: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet) -> HttpResponse | None:
        rows = list(chosen[: MOST + 1])
        if len(rows) > MOST:
            told = f"At most {MOST} at a time; nothing was done."
            table.message_user(request, told, messages.ERROR)
            return None
        # The list's own form has no reason in it, so the first page is empty and without complaint.
        answer = form(request.POST if "reason" in request.POST else None)
        if answer.is_valid():
            _do(table, request, rows, act, answer.cleaned_data, done)
            return None
        title = one if one and len(rows) == 1 else label
        return _ask(table, request, rows, answer, name, title, says)

    made: Any = run
    made.__name__, made.one = name, one or label
    return made


def moderator(request: HttpRequest) -> Profile:
    """Return the person that the signed-in account is in the chat; their acts carry that name."""
    person = profile_for(request.user)
    person.user = request.user  # type: ignore[assignment]
    return person


def _do(
    table: admin.ModelAdmin,
    request: HttpRequest,
    rows: list[Any],
    act: Act,
    said: dict[str, Any],
    done: str,
) -> None:
    staff = moderator(request)
    changed = 0
    for row in rows:
        try:
            did = act(staff, row, said)
        except ChatError as refusal:
            table.message_user(request, f"{_quoted(row)}: {refusal.detail}", messages.ERROR)
        else:
            changed += bool(did)
            if not did:
                told = f"{_quoted(row)}: it was so already."
                table.message_user(request, told, messages.WARNING)
    if changed:
        table.message_user(request, f"{done}: {changed}.", messages.SUCCESS)


def _quoted(row: Any) -> str:
    """Return a row's name in quotes: the admin's page writes the first letter of a message as a capital."""
    return f"“{name_of(row)}”"


def _ask(
    table: admin.ModelAdmin,
    request: HttpRequest,
    rows: list[Any],
    answer: ReasonForm,
    name: str,
    label: str,
    says: str,
) -> HttpResponse:
    context = {
        **table.admin_site.each_context(request),
        "title": label.rstrip("…"),
        "opts": table.opts,
        "plural": capfirst(table.opts.verbose_name_plural),
        "form": answer,
        "rows": [(row.pk, name_of(row)) for row in rows],
        "says": says,
        "action": name,
        "chosen": ACTION_CHECKBOX_NAME,
        "media": table.media + answer.media,
    }
    return TemplateResponse(request, "chat/admin/reason.html", context)
