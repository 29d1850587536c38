#!/bin/sh
# Runs what lies in /docker-entrypoint.d before nginx itself, as the official image does.
set -e

say() {
    [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}

case ${1:-} in
    nginx | nginx-debug)
        for script in /docker-entrypoint.d/*; do
            case $script in
                *.envsh) if [ -x "$script" ]; then say "sourcing $script"; . "$script"; fi ;;
                *.sh) if [ -x "$script" ]; then say "running $script"; "$script"; else say "$script is not executable"; fi ;;
                *) [ ! -e "$script" ] || say "ignoring $script" ;;
            esac
        done
        say "ready to start" ;;
esac
exec "$@"
