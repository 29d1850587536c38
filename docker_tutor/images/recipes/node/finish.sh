groupadd --gid 1000 node
useradd --uid 1000 --gid node --shell /bin/sh --create-home node
for program in node npm npx; do ln -sf "../../bin/$program" "/usr/local/bin/$program"; done
