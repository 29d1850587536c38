"""The stand-ins for languages build and run what the course's Dockerfiles build and run."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.images import Provided

pytestmark = [pytest.mark.engine, pytest.mark.one_in(3)]

Docker = Callable[..., str]
Have = Callable[[str], Provided]
Build = Callable[[str], str]

GO = """
package main

import "fmt"

func main() { fmt.Println("from go") }
"""
JAVA = 'public class Main { public static void main(String[] a) { System.out.println("java " + Runtime.version()); } }'
PACKAGE = '{"name": "x", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}}'


def test_node_installs_a_package_and_runs_as_another_user(
    have: Have, docker: Docker, build: Build, tmp_path: Path
) -> None:
    assert re.search(r"Node\.js 20\.", have("node:20-alpine").note)
    (tmp_path / "context/package.json").write_text(PACKAGE, encoding="utf-8")
    image = build("""
FROM node:20-alpine AS deps
WORKDIR /app
COPY package.json ./
RUN --mount=type=secret,id=ca,target=/ca.crt NODE_EXTRA_CA_CERTS=/ca.crt npm install --omit=dev
FROM node:20-alpine
WORKDIR /app
RUN addgroup -g 1001 -S nodejs && adduser -S nextjs -u 1001
COPY --from=deps --chown=nextjs:nodejs /app/node_modules ./node_modules
USER nextjs
CMD ["node", "-e", "console.log(require('ms')('2 days'), process.getuid())"]
""")
    assert docker("run", "--rm", image) == "172800000 1001"


def test_go_builds_a_static_program_for_scratch(have: Have, docker: Docker, build: Build, tmp_path: Path) -> None:
    assert have("golang:1.22-alpine").note
    (tmp_path / "context/main.go").write_text(GO, encoding="utf-8")
    (tmp_path / "context/go.mod").write_text("module example/x\n\ngo 1.22\n", encoding="utf-8")
    image = build("""
FROM golang:1.22-alpine AS builder
RUN apk add --no-cache ca-certificates
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 GOOS=linux go build -ldflags="-w -s" -o /app/server .
FROM scratch
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=builder /app/server /server
ENTRYPOINT ["/server"]
""")
    assert docker("run", "--rm", image) == "from go"


def test_java_is_compiled_in_one_image_and_run_in_a_smaller_one(
    have: Have, docker: Docker, build: Build, tmp_path: Path
) -> None:
    jdk, jre = have("eclipse-temurin:21-jdk-alpine"), have("eclipse-temurin:21-jre-alpine")
    assert jre.size_bytes < jdk.size_bytes
    (tmp_path / "context/Main.java").write_text(JAVA, encoding="utf-8")
    image = build("""
FROM eclipse-temurin:21-jdk-alpine AS builder
WORKDIR /app
COPY Main.java .
RUN javac Main.java && jar --create --file app.jar --main-class Main Main.class
FROM eclipse-temurin:21-jre-alpine
RUN addgroup -g 1001 -S spring && adduser -S spring -u 1001
COPY --from=builder --chown=spring:spring /app/app.jar app.jar
USER spring
ENTRYPOINT ["java", "-jar", "app.jar"]
""")
    assert docker("run", "--rm", image).startswith("java 21")
    assert docker("run", "--rm", "--entrypoint", "sh", image, "-c", "command -v javac || echo none") == "none"
    help_said = "wget --no-verbose --tries=1 --spider http://127.0.0.1:1/ 2>&1 || true"
    assert "refused" in docker("run", "--rm", "--entrypoint", "sh", image, "-c", help_said)


def test_maven_comes_with_its_jdk(have: Have, docker: Docker) -> None:
    have("maven:3.9-eclipse-temurin-21-alpine")
    said = docker("run", "--rm", "maven:3.9-eclipse-temurin-21-alpine", "mvn", "--version")
    assert "Apache Maven 3.9" in said
    assert "Java version: 21" in said
