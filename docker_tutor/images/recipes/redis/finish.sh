rm -rf /var/lib/redis /var/log/redis
mkdir -p /data
chown redis:redis /data
