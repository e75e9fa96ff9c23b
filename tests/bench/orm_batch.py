"""A bare ORM batch: 100 message rows in one transaction through Django, with the room locked and its head moved.

``python -m tests.bench.orm_batch SECONDS`` prints ``{messages, seconds, cpu}`` as JSON.
"""

import json
import sys
import time

import django
from django.db import transaction

BATCH = 100


def main(seconds: float) -> None:
    from chat.actions.people import add_person
    from chat.models import Message, Room

    sender = add_person(username="")
    room = Room.objects.create(kind="group", visibility="private", title="Batch")
    messages, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        with transaction.atomic():
            locked = Room.objects.select_for_update(no_key=True).get(pk=room.pk)
            places = range(locked.head + 1, locked.head + BATCH + 1)
            Message.objects.bulk_create(
                Message(
                    room=locked, seq=n, version=n, sender=sender, text="x" * 100, digest=b"0" * 32
                )
                for n in places
            )
            locked.head = places[-1]
            locked.save(update_fields=["head"])
        messages += BATCH
    figures = {
        "messages": messages,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    django.setup()
    main(float(sys.argv[1]))
