ln -sf /usr/bin/docker-registry /bin/registry
mkdir -p /var/lib/registry
