"""The host's paths, and the two includes of the chat."""

from django.urls import include, path
from orders.views import Asked, Orders, Shipped
from rest_framework_simplejwt.views import token_obtain_pair

urlpatterns = [
    path("login/", token_obtain_pair),
    path("orders/", Orders.as_view()),
    path("orders/asked/", Asked.as_view()),
    path("orders/shipped/<uuid:room>/", Shipped.as_view()),
    path("chat/auth/", include("chat.rest.auth.urls")),
    path("chat/", include("chat.rest.urls")),
]
