#!/bin/bash
# Makes a database cluster on the first start, then becomes the server. Settings: POSTGRES_PASSWORD, POSTGRES_USER,
# POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD; each may come from a file named by NAME_FILE.
set -Eeuo pipefail

from_file() {
    local name=$1 file="${1}_FILE" default=${2:-}
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
        echo >&2 "error: $name and $file are both set; one of them is enough"
        exit 1
    fi
    if [ -n "${!file:-}" ]; then
        export "$name"="$(< "${!file}")"
    else
        export "$name"="${!name:-$default}"
    fi
    unset "$file"
}

refuse_without_password() {
    [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ] || return 0
    cat >&2 <<'TEXT'
Error: the database is not initialized and no superuser password is given.
       Give one: POSTGRES_PASSWORD must not be empty, for example `docker run -e POSTGRES_PASSWORD=… postgres`.
       POSTGRES_HOST_AUTH_METHOD=trust lets everyone in without a password; that is rarely what you want.
TEXT
    exit 1
}

sql() {
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"
}

run_init_scripts() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh)
                if [ -x "$file" ]; then
                    echo "$0: running $file"
                    "$file"
                else
                    echo "$0: sourcing $file"
                    . "$file"
                fi ;;
            *.sql) echo "$0: running $file"; sql --dbname "$POSTGRES_DB" -f "$file" ;;
            *.sql.gz) echo "$0: running $file"; gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
            *) [ ! -e "$file" ] || echo "$0: ignoring $file" ;;
        esac
        echo
    done
}

initialize() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"${POSTGRES_INITDB_ARGS:-}"
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
    # Scripts talk to a server that nobody else can reach yet.
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
    if ! sql --dbname postgres --tuples-only -c "SELECT 1 FROM pg_database WHERE datname = '$POSTGRES_DB'" | grep -q 1; then
        sql --dbname postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db";'
    fi
    PGPASSWORD=$POSTGRES_PASSWORD run_init_scripts
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"
case " $* " in *' --help '* | *' -? '* | *' --version '* | *' -V '*) exec "$@" ;; esac

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /run/postgresql
    find "$PGDATA" \! -user postgres -exec chown postgres:postgres '{}' +
    chmod 0700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$BASH_SOURCE" "$@"
fi

if [ -s "$PGDATA/PG_VERSION" ]; then
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
else
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS
    refuse_without_password
    initialize
fi
exec "$@"
