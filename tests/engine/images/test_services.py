"""The stand-ins for databases and other services start, refuse and keep as the course says they do."""

from collections.abc import Callable

import pytest

from docker_tutor.images import Provided

pytestmark = [pytest.mark.engine, pytest.mark.one_in(3)]

Docker = Callable[..., str]
Have = Callable[[str], Provided]
Start = Callable[..., str]

READY = "until pg_isready -q -h 127.0.0.1 -U user -d mydb; do :; done"
"""`pg_isready` waits up to three seconds itself: a busy loop it is not."""


def sql(docker: Docker, name: str, query: str) -> str:
    docker("exec", name, "timeout", "60", "sh", "-c", READY)
    return docker("exec", name, "psql", "-U", "user", "-d", "mydb", "-Atc", query)


@pytest.mark.parametrize("image", ["postgres:16-alpine"])
def test_postgres_runs_init_scripts_once_and_keeps_its_data(
    have: Have, docker: Docker, start: Start, image: str
) -> None:
    have(image)
    name = start("--entrypoint", "sleep", image, "600")
    script = "create table t (a int); insert into t values (1), (2)"
    docker("exec", name, "sh", "-c", f"echo '{script}' > /docker-entrypoint-initdb.d/1.sql")
    shell = 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "insert into t values (3)"'
    docker("exec", name, "sh", "-c", f"echo '{shell}' > /docker-entrypoint-initdb.d/2.sh")
    docker("commit", name, "img-test-pg")
    try:
        settings = ["POSTGRES_USER=user", "POSTGRES_PASSWORD=password", "POSTGRES_DB=mydb"]
        options = [word for setting in settings for word in ("--env", setting)]
        server = start(*options, "--entrypoint", "docker-entrypoint.sh", "img-test-pg", "postgres")
        assert sql(docker, server, "select sum(a) from t") == "6"
        assert docker(
            "exec", server, "sh", "-c", "PGPASSWORD=password psql -h 127.0.0.1 -U user -d mydb -Atc 'select 1'"
        )
        docker("stop", server)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", server) == "0"
        docker("start", server)
        assert sql(docker, server, "select sum(a) from t") == "6"
        assert "Skipping initialization" in docker("logs", server)
    finally:
        docker("rmi", "--force", "img-test-pg")


def test_postgres_does_not_start_without_a_password(have: Have, docker: Docker, start: Start) -> None:
    have("postgres:16-alpine")
    name = start("postgres:16-alpine")
    assert docker("wait", name) == "1"
    script = "docker-entrypoint.sh postgres 2>&1 || true"
    said = docker("run", "--rm", "--entrypoint", "sh", "postgres:16-alpine", "-c", script)
    assert "POSTGRES_PASSWORD must not be empty" in said


def test_redis_answers_its_network_and_keeps_an_append_only_file(have: Have, docker: Docker, start: Start) -> None:
    have("redis:7-alpine")
    options = ["--appendonly", "yes", "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"]
    name = start("redis:7-alpine", "redis-server", *options)
    wait = "until redis-cli ping 2>/dev/null | grep -q PONG; do sleep 0.1; done"
    docker("exec", name, "timeout", "30", "sh", "-c", wait)
    address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name)
    assert docker("run", "--rm", "redis:7-alpine", "redis-cli", "-h", address, "set", "a", "1") == "OK"
    assert docker("exec", name, "redis-cli", "config", "get", "maxmemory").split() == ["maxmemory", str(256 << 20)]
    assert "appendonlydir" in docker("exec", name, "ls", "/data")
    assert docker("exec", name, "stat", "-c", "%U", "/proc/1") == "redis"


def test_the_network_tools_are_there(have: Have, docker: Docker) -> None:
    have("docker-tutor/nettools")
    tools = ["iperf3", "tcpdump", "dig", "curl", "ip", "ss", "ping", "nc", "traceroute", "socat", "nft"]
    script = f"for tool in {' '.join(tools)}; do command -v $tool >/dev/null || echo $tool; done"
    assert docker("run", "--rm", "docker-tutor/nettools", "sh", "-c", script) == ""
