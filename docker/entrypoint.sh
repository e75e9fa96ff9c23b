#!/bin/sh
# `serve` runs the server, `healthy` asks it; anything else is a command of manage.py.
set -eu
case "${1:-serve}" in
    serve) exec python -m project.server ;;
    healthy)
        exec python -c '
import os
from urllib.request import Request, urlopen

host = os.environ["ALLOWED_HOSTS"].split(",")[0].lstrip(".")
urlopen(Request("http://127.0.0.1:" + os.environ["PORT"] + "/healthz", headers={"Host": host}), timeout=2)
'
        ;;
    *) exec python manage.py "$@" ;;
esac
