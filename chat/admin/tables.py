"""What all tables of the admin have in common: read, searched and leafed through at a cost that does not grow."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, ObjectDoesNotExist, ValidationError
from django.db import DataError
from django.db.models import Model, Q, QuerySet, URLField, UUIDField
from django.http import HttpRequest, HttpResponse

from chat.admin.links import list_url, name_of, seats
from chat.admin.paging import BoundedPaginator
from chat.models import Room
from chat.queries.people import find_people

# People or rooms that one search looks through.
MATCHES = 50
# A link of a page: what it says, and where to.
Link = tuple[str, str]


class ReadOnlyAdmin(admin.ModelAdmin):
    """A table that may be read by whom Django's ``view`` permission lets; nothing is written from here.

    ``people`` and ``rooms`` name the keys by which a search finds rows: the words are looked up among people
    and rooms, which are few, and never in the table itself. ``narrowed_by`` are keys with an index: once the list is
    narrowed by one, it has ``narrow_filter`` and goes by ``narrow_ordering``.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50
    ordering = ["-pk"]
    search_help_text = "A handle or name, the beginning of a title, or an id."
    change_form_template = "chat/admin/page.html"
    # What Django 6 does anyway, and 5.2 warns about until it is said.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    people: ClassVar[tuple[str, ...]] = ()
    rooms: ClassVar[tuple[str, ...]] = ()
    narrowed_by: ClassVar[dict[str, type[Model]]] = {}
    narrow_filter: ClassVar[list[Any]] = []
    narrow_ordering: ClassVar[list[str]] = []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """Say whether the actions are shown; the policy is asked again when one is done."""
        return request.user.has_perm("chat.moderate_room")

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        """Return where a row's own page leads to."""
        return []

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [
            *super().get_list_filter(request),
            *self.narrow_filter * bool(_narrow(self, request)),
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Say whether a list may be asked so: by the filters it shows and the links that lead to it alone.

        Django lets every column be asked, also those that no page shows: words, and what a sign-in is made of.
        """
        if request is None:
            return False
        shown = (_parameters(self, one, request) for one in self.get_list_filter(request))
        return lookup in {f"{key}__id__exact" for key in self.narrowed_by}.union(*shown)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except (ValidationError, ValueError, OverflowError, DataError) as error:
            # What Django's own filters take and the database does not: a NUL, a moment before all time.
            raise IncorrectLookupParameters(error) from error

    def response_action(
        self, request: HttpRequest, queryset: QuerySet, *args: Any, **kwargs: Any
    ) -> Any:
        key = self.opts.pk
        try:
            for one in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.run_validators(key.to_python(one))
        except ValidationError:
            raise BadRequest("No row has such a key.") from None
        return super().response_action(request, queryset, *args, **kwargs)

    def get_ordering(self, request: HttpRequest) -> Any:
        narrow = self.narrow_ordering and _narrow(self, request)
        return self.narrow_ordering if narrow else super().get_ordering(request)

    def get_search_fields(self, request: HttpRequest) -> Any:
        # Django shows the search box for these; what is searched is said below.
        return super().get_search_fields(request) or [*self.people, *self.rooms]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        words = search_term.replace("\x00", "").strip()
        if not words:
            return (queryset.none() if search_term.strip() else queryset), False
        try:
            return queryset.filter(_with_id(queryset.model, UUID(words), self)), False
        except ValueError:
            pass
        if self.search_fields:
            return super().get_search_results(request, queryset, words)
        return queryset.filter(self._of(words)), False

    def _of(self, words: str) -> Q:
        found = Q(pk__in=[])
        if self.people:
            ids = list(find_people(words).values_list("pk", flat=True)[:MATCHES])
            for key in self.people:
                found |= Q(**{f"{key}__in": ids})
        if self.rooms:
            titled = Room.objects.filter(title__istartswith=words).order_by("-pk")
            ids = list(titled.values_list("pk", flat=True)[:MATCHES])
            for key in self.rooms:
                found |= Q(**{f"{key}__in": ids})
        return found

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = self.opts.verbose_name_plural.capitalize()  # type: ignore[union-attr]
        if (narrow := _narrow(self, request)) is not None:
            title = f"{title}: {name_of(narrow)}"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs["obj"]
        context.update(
            title=f"{self.opts.verbose_name.capitalize()}: {name_of(row)}",  # type: ignore[union-attr]
            subtitle=None,
            links=self.links(request, row),
            acts=self.acts(request, row),
            acts_at=list_url(self.model),
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def acts(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        """Return the actions that a row's own page offers: name and label."""
        return [
            (name, getattr(found[0], "one", str(found[2])))
            for name, found in self.get_actions(request).items()
            if found
        ]


def _parameters(table: ReadOnlyAdmin, shown: Any, request: HttpRequest) -> list[str | None]:
    """Return what a filter, named as in ``list_filter``, reads from the query string."""
    if isinstance(shown, str):
        field: Any = table.opts.get_field(shown)
        made = admin.FieldListFilter.create(field, request, {}, table.model, table, shown)
    else:
        made = shown(request, {}, table.model, table)
    return made.expected_parameters()


def _narrow(table: ReadOnlyAdmin, request: HttpRequest) -> Any:
    """Return the room or person that the list is narrowed to; asked once a request."""
    known = request.__dict__.setdefault("_chat_narrow", {})
    if table.model not in known:
        known[table.model] = _looked_up(table, request)
    return known[table.model]


def _looked_up(table: ReadOnlyAdmin, request: HttpRequest) -> Any:
    for key, model in table.narrowed_by.items():
        value = request.GET.get(f"{key}__id__exact")
        if value:
            rows: QuerySet = model._default_manager.all()
            try:
                return (rows.prefetch_related(seats()) if model is Room else rows).get(pk=value)
            except (ObjectDoesNotExist, ValidationError):
                return None
    return None


def _with_id(model: type[Model], id: UUID, table: ReadOnlyAdmin) -> Q:
    """Find what has an id, or belongs to the person or room that has it."""
    found = Q(pk=id) if isinstance(model._meta.pk, UUIDField) else Q(pk__in=[])
    for key in (*table.people, *table.rooms):
        found |= Q(**{key: id})
    return found
