groupadd --gid 1000 node
useradd --uid 1000 --gid node --shell /bin/sh --create-home node
for program in node npm npx; do ln -sf "../../bin/$program" "/usr/local/bin/$program"; done
# Debian's npm draws in what its own tests and builds want. None of it is read when npm runs.
rm -rf /usr/include /usr/lib/*/*.a
cd /usr/share/nodejs
rm -rf @babel @types caniuse-lite core-js core-js-compat core-js-pure es-abstract eslint regenerate-unicode-properties \
    terser web-streams-polyfill webpack
