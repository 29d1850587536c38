#!/bin/sh
# /etc/nginx/templates/NAME.template becomes /etc/nginx/conf.d/NAME, with the environment's variables filled in.
set -eu

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$templates" ] || exit 0
# Only what the environment defines: nginx has variables of its own.
known=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
find "$templates" -type f -name '*.template' | while read -r template; do
    name=${template#"$templates"/}
    mkdir -p "$output/$(dirname "$name")"
    envsubst "$known" < "$template" > "$output/${name%.template}"
done
