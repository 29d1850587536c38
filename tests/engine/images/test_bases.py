"""The stand-ins for base images do what the images that they stand in for do, as far as the course uses it."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient

from docker_tutor.images import Provided
from docker_tutor.images.container import exported

pytestmark = [pytest.mark.engine, pytest.mark.one_in(3)]

Docker = Callable[..., str]
Have = Callable[[str], Provided]
Sh = Callable[[str, str], str]
Build = Callable[[str], str]


@pytest.mark.parametrize("image", ["alpine:3.19", "nginx:alpine"])
def test_alpine_s_own_way_of_adding_users_works(have: Have, sh: Sh, image: str) -> None:
    have(image)
    assert "uid=1001(nextjs)" in sh(
        image, "addgroup -g 1001 -S nodejs && adduser -S nextjs -u 1001 && id nextjs && su -s /bin/sh nextjs -c id"
    )
    said = sh(image, "addgroup -S app && adduser -D -H -G app joe && addgroup -S more && addgroup joe more && id joe")
    assert "(app)" in said
    assert "(more)" in said
    assert sh(image, "adduser -D joe; deluser --remove-home joe; ls /home; getent passwd joe || echo gone") == "gone"


def test_alpine_is_a_few_megabytes_with_the_commands_of_a_shell(have: Have, sh: Sh) -> None:
    provided = have("alpine:3.19")
    assert provided.source == "stand-in"
    assert provided.size_bytes < 10_000_000
    assert "busybox" in provided.note
    sh("alpine:3.19", "for c in wget nc ps ip tar nslookup ping seq timeout apk; do command -v $c; done")


def test_a_container_whose_files_were_copied_leaves_no_layer_behind(
    client: DockerClient, have: Have, tmp_path: Path
) -> None:
    have("alpine:3.19")
    container = client.containers.create("alpine:3.19", "true")
    exported(container, tmp_path / "whole.tar")
    layers = Path(client.info()["DockerRootDir"]) / "image/overlay2/layerdb/mounts"
    assert (layers / str(container.id)).is_dir()
    container.remove(v=True)
    assert not (layers / str(container.id)).exists()
    with tarfile.open(tmp_path / "whole.tar") as tar:
        assert "/etc/passwd" in tar.getnames()


def test_debian_installs_packages_in_a_build(have: Have, sh: Sh, build: Build) -> None:
    have("debian:12-slim")
    image = build("""
FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends less && rm -rf /var/lib/apt/lists/*
""")
    assert sh(image, "less --version").startswith("less ")
    assert sh(image, "ls /var/cache/apt/archives | grep -c deb$ || true") == "0"
    assert sh("debian:12-slim", "dpkg --audit; . /etc/os-release; echo $VERSION_CODENAME") == "bookworm"


def test_python_prints_and_pip_installs_a_package_in_a_build(have: Have, docker: Docker, sh: Sh, build: Build) -> None:
    have("python:3.11-slim")
    version = docker("run", "--rm", "python:3.11-slim", "python", "-c", "import sys; print(sys.version_info[:2])")
    assert version == "(3, 11)"
    assert sh("python:3.11-slim", "which python pip") == "/usr/local/bin/python\n/usr/local/bin/pip"
    image = build("""
FROM python:3.11-slim
RUN --mount=type=secret,id=ca,target=/ca.crt PIP_CERT=/ca.crt pip install --no-cache-dir six
RUN python -c "import six" && test -e /usr/local/lib/python3.11/site-packages/six.py
""")
    assert "six" in docker("run", "--rm", image, "pip", "list")


def test_nginx_answers_logs_and_stops_gracefully(have: Have, docker: Docker, start: Callable[..., str]) -> None:
    have("nginx")
    name = start("nginx")
    page = docker("exec", name, "curl", "-fsS", "--retry", "20", "--retry-connrefused", "http://localhost/")
    assert "Welcome to nginx" in page
    docker("stop", "--time", "8", name)
    # It writes a line after it has answered; once it has stopped, the line is there.
    assert '"GET / HTTP/1.1" 200' in docker("logs", name)
    assert docker("inspect", "--format", "{{.State.ExitCode}} {{.Config.StopSignal}}", name) == "0 SIGQUIT"


def test_nginx_s_templates_are_filled_in(have: Have, sh: Sh) -> None:
    have("nginx")
    script = "mkdir /etc/nginx/templates && echo '# ${NAME} $uri' > /etc/nginx/templates/x.conf.template"
    script += " && NAME=filled /docker-entrypoint.sh nginx -t && cat /etc/nginx/conf.d/x.conf"
    assert "# filled $uri" in sh("nginx", script)


def test_static_distroless_holds_certificates_and_no_shell(have: Have, docker: Docker, build: Build) -> None:
    name = "gcr.io/distroless/static-debian12:nonroot"
    assert have(name).size_bytes < 5_000_000
    have("alpine:3.19")
    assert docker("inspect", "--format", "{{.Config.User}}", name) == "65532"
    image = build(f"""
FROM alpine:3.19 AS tools
FROM {name}
COPY --from=tools /bin/busybox /busybox
""")
    certificates = docker("run", "--rm", image, "/busybox", "grep", "-c", "BEGIN", "/etc/ssl/certs/ca-certificates.crt")
    assert int(certificates) > 50
    assert "nonroot" in docker("run", "--rm", image, "/busybox", "id")
    assert docker("run", "--rm", "--user", "0", image, "/busybox", "find", "/", "-xdev", "-name", "sh") == ""
