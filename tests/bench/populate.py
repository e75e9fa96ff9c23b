"""Fills a private database with people and groups, by the product's own verbs, and prints them as JSON.

``python -m tests.bench.populate PEOPLE[+WITHOUT] FIRST:SIZE…``: people with an account and some without, and for each
pair a group of so many people, counted from one of them on. Prints
``{"people": [{name, id}], "groups": [{id, members: [index]}]}``.
"""

import json
import sys

import django

PASSWORD = "of-all-the-tea-in-china"


def main(count: int, without: int, wanted: list[str]) -> None:
    from chat.actions.people import add_person, register_person
    from chat.actions.rooms import create_group

    people = [register_person(username=f"p{n}", password=PASSWORD) for n in range(count)]
    people += [add_person(username=f"m{n}") for n in range(without)]
    groups = []
    for one in wanted:
        first, size = map(int, one.split(":"))
        members = list(range(first, first + size))
        owner, *others = people[first : first + size]
        others = [person.pk for person in others]
        room, _ = create_group(owner, title=one, visibility="private", members=others)
        groups.append({"id": str(room.pk), "members": members})
    told = [{"name": person.username, "id": str(person.pk)} for person in people]
    print(json.dumps({"people": told, "groups": groups}))


if __name__ == "__main__":
    django.setup()
    accounts, _, others = sys.argv[1].partition("+")
    main(int(accounts), int(others or 0), sys.argv[2:])
