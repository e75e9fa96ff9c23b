"""The epoch: renewed when the logs are no longer the ones that clients have seen."""

from __future__ import annotations

from uuid import uuid4

from chat.actions.transactions import action
from chat.models import Epoch


@action
def renew_epoch() -> None:
    """Make every cursor given out so far void: clients are answered `reset` and start afresh."""
    Epoch.objects.update_or_create(pk=1, defaults={"value": uuid4()})
