"""Fills a private database with people and groups, by the product's own verbs, and prints them as JSON.

``python -m tests.bench.populate PEOPLE[+WITHOUT] FIRST:SIZE…``: people with an account and some without, and for each
pair a group of so many people, counted from one of them on. Prints
``{"people": [{name, id}], "groups": [{id, members: [index]}]}``.
"""

import json
import sys

import django
from django.db import connection

PASSWORD = "of-all-the-tea-in-china"
# Members that a group is opened with. The others are mere rows, as nobody's log is read here that tells of joining;
# the same goes for people without an account, who have no log.
TOLD = 10


def main(count: int, without: int, wanted: list[str]) -> None:
    from chat.actions.people import register_person
    from chat.actions.rooms import create_group
    from chat.models import Membership, Profile, Room

    people = [register_person(username=f"p{n}", password=PASSWORD) for n in range(count)]
    people += Profile.objects.bulk_create(Profile(username=f"m{n}") for n in range(without))
    groups = []
    for one in wanted:
        first, size = map(int, one.split(":"))
        members = list(range(first, first + size))
        owner, *others = people[first : first + size]
        known = [person.pk for person in others[: TOLD - 1]]
        room, _ = create_group(owner, title=one, visibility="private", members=known)
        rows = (Membership(room=room, user=person) for person in others[TOLD - 1 :])
        Membership.objects.bulk_create(rows, batch_size=1_000)
        Room.objects.filter(pk=room.pk).update(members_count=size)
        groups.append({"id": str(room.pk), "members": members})
    # As autovacuum does within a minute: the planner takes a table without statistics for nearly empty. Not of those
    # that are empty: it would plan for that, and the checks of foreign keys keep their plans while the table grows.
    with connection.cursor() as cursor:
        for model in (Profile, Room, Membership):
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')
    told = [{"name": person.username, "id": str(person.pk)} for person in people]
    print(json.dumps({"people": told, "groups": groups}))


if __name__ == "__main__":
    django.setup()
    accounts, _, others = sys.argv[1].partition("+")
    main(int(accounts), int(others or 0), sys.argv[2:])
