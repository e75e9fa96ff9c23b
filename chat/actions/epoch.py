"""The epoch: renewed when the logs are no longer the ones that clients have seen."""

from __future__ import annotations

from uuid import uuid4

from chat.actions.transactions import action
from chat.models import Epoch
from chat.queries.epoch import current_epoch


@action
def renew_epoch(seen: str | None = None) -> None:
    """Make every cursor given out so far void: clients are answered `reset` and start afresh.

    With ``seen``, only while that is still the epoch: of several processes that found the same thing one renews it.
    """
    # Made where there is none yet.
    current_epoch()
    stored = Epoch.objects.select_for_update().get(pk=1)
    if seen in (None, current_epoch()):
        stored.value = uuid4()
        stored.save(update_fields=["value"])
