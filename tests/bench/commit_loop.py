"""The commit loop: one connection, one prepared statement per commit that locks, numbers and inserts.

``python -m tests.bench.commit_loop URL ROOMS SECONDS`` prints ``{commits, seconds, cpu, p50, p99}`` as JSON.
"""

import json
import sys
import time
from itertools import cycle
from uuid import uuid4

import psycopg

from tests.bench.figures import percentile

TABLES = """
CREATE TABLE IF NOT EXISTS loop_room (id uuid PRIMARY KEY, head bigint NOT NULL);
CREATE TABLE IF NOT EXISTS loop_message (
    id uuid PRIMARY KEY, room uuid NOT NULL, seq bigint NOT NULL, sender uuid NOT NULL,
    text text NOT NULL, created_at timestamptz NOT NULL, UNIQUE (room, seq)
);
"""
SEND = """
WITH room AS (UPDATE loop_room SET head = head + 1 WHERE id = %s RETURNING id, head)
INSERT INTO loop_message SELECT %s, room.id, room.head, %s, %s, now() FROM room RETURNING seq
"""


def main(url: str, rooms: int, seconds: float) -> None:
    sender, text, taken = uuid4(), "x" * 100, []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES)
        ids = [uuid4() for _ in range(rooms)]
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO loop_room VALUES (%s, 0)", [[one] for one in ids])
            began, cpu = time.perf_counter(), time.process_time()
            for room in cycle(ids):
                start = time.perf_counter()
                cursor.execute(SEND, (room, uuid4(), sender, text), prepare=True)
                cursor.fetchone()
                now = time.perf_counter()
                taken.append(now - start)
                if now - began > seconds:
                    break
    figures = {
        "commits": len(taken),
        "seconds": now - began,
        "cpu": time.process_time() - cpu,
        "p50": percentile(taken, 50),
        "p99": percentile(taken, 99),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
