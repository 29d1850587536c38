# Sourced by postBuild and start. The engine's packages are Debian's; Binder's own system is Ubuntu, whose package sources
# do not say where those are. debootstrap (see apt.txt) knows it, and Debian's security updates lie beside.
if [ "$(. /etc/os-release && printf %s "$ID")" != debian ]; then
    mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' /usr/sbin/debootstrap)
    export DOCKER_TUTOR_MIRROR=${DOCKER_TUTOR_MIRROR:-$mirror}
    export DOCKER_TUTOR_SECURITY_MIRROR=${DOCKER_TUTOR_SECURITY_MIRROR:-$mirror-security}
fi
