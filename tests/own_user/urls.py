"""A host that has opened no door yet."""

urlpatterns: list[object] = []
