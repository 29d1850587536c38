rm -rf /etc/nginx/sites-available /etc/nginx/sites-enabled /etc/nginx/snippets /etc/logrotate.d/nginx /var/www/html
groupadd --system --gid 101 nginx 2>/dev/null || groupadd --system nginx
useradd --system --gid nginx --uid 101 --home-dir /nonexistent --no-create-home --shell /bin/false nginx 2>/dev/null ||
    useradd --system --gid nginx --home-dir /nonexistent --no-create-home --shell /bin/false nginx
mkdir -p /var/cache/nginx
chown nginx:nginx /var/cache/nginx
ln -sf /dev/stdout /var/log/nginx/access.log
ln -sf /dev/stderr /var/log/nginx/error.log
