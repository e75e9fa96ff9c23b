"""Makes a database large: one viewer, rooms with 20 unread messages each, and so many messages in all.

``python -m tests.bench.grow ROOMS MESSAGES`` prints ``{viewer, room}`` as JSON: the viewer's name, and the room that
holds half of all. One message and its event are sent by the product's own verbs; the rest are copies of these two rows,
so that no column is forgotten. Ten messages say ``zebra``, each tenth says ``common``.
"""

import json
import sys
import uuid

import django
from django.db import connection

from tests.bench.populate import PASSWORD

UNREAD = 20
# Small enough that none is given up on, on a busy machine.
SLICE = 20_000
WORDS = """
CASE WHEN mod(n, 10) = 0 THEN 'common ' ELSE '' END
|| CASE WHEN {first} AND n <= 10 THEN 'zebra ' ELSE '' END
|| 'word' || mod(n, 997) || ' and word' || mod(n, 1009) || ' about the weather in ' || n
"""


def main(rooms: int, messages: int) -> None:
    from chat.actions.people import register_person
    from chat.actions.rooms import create_group
    from chat.models import Membership, Room

    viewer, other = (register_person(username=name, password=PASSWORD) for name in ("ann", "bob"))
    groups = [
        create_group(viewer, title=f"Room {n}", visibility="private", members=[other.pk])[0]
        for n in range(rooms)
    ]
    half = messages // 2
    each = max(UNREAD, (messages - half) // rooms)
    for number, room in enumerate(groups):
        _copy(other, room, half if number == 0 else each, first=number == 0)
    for room in Room.objects.filter(pk__in=[room.pk for room in groups]):
        mine = Membership.objects.filter(room=room, user=viewer)
        mine.update(read_seq=room.head - UNREAD)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(json.dumps({"viewer": "ann", "room": str(groups[0].pk)}))


def _copy(sender, room, count: int, *, first: bool) -> None:
    from chat.actions.sending import Draft, send_message
    from chat.models import Event, Message, Room

    message = send_message(Draft(sender, room.pk, "hello")).message
    event = Event.objects.get(room=room, seq=message.seq)
    seq, left = message.seq, count - 1
    while left > 0:
        slice_, left = min(SLICE, left), left - min(SLICE, left)
        place, age = f"{seq} + n", "now() - interval '1 day' + n * interval '1 millisecond'"
        changed = {"seq": place, "version": place, "text": WORDS.format(first=first)}
        _insert(Message, message.pk, slice_, {**changed, "created_at": age, "id": _id(room, place)})
        changed = {"seq": place, "created_at": age, "message_id": _id(room, place)}
        _insert(Event, event.pk, slice_, {**changed, "id": None})
        seq += slice_
    Room.objects.filter(pk=room.pk).update(head=seq)


def _id(room, place: str) -> str:
    """An id that both inserts can make: of the room and the place in it."""
    return f"md5('{uuid.UUID(str(room.pk)).hex}' || ({place})::text)::uuid"


def _insert(model, like: object, count: int, changed: dict[str, str | None]) -> None:
    fields = [field.column for field in model._meta.local_concrete_fields if not field.generated]
    columns = [name for name in fields if changed.get(name, name) is not None]
    values = ", ".join(changed.get(name) or f'source."{name}"' for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        # Every part is of this file or of the models.
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} source,"
            " generate_series(1, %s) n WHERE source.id = %s",
            [count, like],
        )


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))
