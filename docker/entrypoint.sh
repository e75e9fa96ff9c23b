#!/bin/sh
# `serve` runs the server; anything else is a command of manage.py.
set -eu
case "${1:-serve}" in
    serve) exec python -m project.server ;;
    *) exec python manage.py "$@" ;;
esac
