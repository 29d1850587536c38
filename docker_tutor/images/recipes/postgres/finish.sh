# The cluster that Debian makes on installing is not wanted: the entry point makes one in a volume.
rm -rf /etc/postgresql/* /var/lib/postgresql/* /var/log/postgresql/*
# Compiling queries just in time takes LLVM, which is larger than the rest; PostgreSQL does without when it is absent.
rm -rf /usr/lib/postgresql/*/lib/bitcode /usr/lib/postgresql/*/lib/llvmjit* /usr/lib/*/libLLVM* /usr/lib/llvm-* /usr/lib/*/libz3.so*
# The server's own programs before Debian's wrappers, which would look for Debian's clusters.
for program in /usr/lib/postgresql/*/bin/*; do ln -sf "$program" "/usr/local/bin/${program##*/}"; done
sed -i "s/^#\?listen_addresses *=.*/listen_addresses = '*'/" /usr/share/postgresql/*/postgresql.conf.sample
mkdir -p /var/lib/postgresql/data /run/postgresql /docker-entrypoint-initdb.d
chown postgres:postgres /var/lib/postgresql /var/lib/postgresql/data /run/postgresql
chmod 1777 /var/lib/postgresql/data
chmod 3777 /run/postgresql
