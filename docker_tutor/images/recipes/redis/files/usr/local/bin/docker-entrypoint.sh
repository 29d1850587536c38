#!/bin/sh
# Options and configuration files are for redis-server; it runs as its own user, its data belongs to it.
set -e

case ${1:-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1:-}" = redis-server ]; then
    # Protected mode would refuse every other container: the network that a container is on is its protection.
    case " $* " in *" --protected-mode "*) ;; *) set -- "$@" --protected-mode no ;; esac
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis:redis '{}' +
        exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
    fi
fi
exec "$@"
