"""JupyterLab as a child of `start`: everything that it keeps goes into the course's own folders."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker_tutor import paths
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _

__all__ = ["Lab"]

STARTS_WITHIN_S = 120
STOPS_WITHIN_S = 20
_SERVING = re.compile(r"http://127\.0\.0\.1:(\d+)/lab")


@dataclass
class Lab:
    """One JupyterLab on 127.0.0.1, behind a token that no process list shows."""

    folder: Path
    """What it opens on."""
    port: int = 8888
    """Where to listen; the next free one is taken when something else does."""
    token: str = field(default_factory=lambda: secrets.token_hex(24), repr=False)
    url: str = field(default="", init=False)
    process: subprocess.Popen[str] = field(init=False, repr=False)
    _serving: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    @property
    def log(self) -> Path:
        """Where JupyterLab's own messages go."""
        return paths.runtime_folder() / "jupyterlab.log"

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it and return once it serves. Raises CourseError with the end of its log when it does not."""
        _ask_for_no_news()
        # A session of its own: Ctrl-C reaches only `start`, which then stops things in the right order.
        self.process = subprocess.Popen(
            self._command(),
            env={**environment, **paths.jupyter_environment(), "JUPYTER_TOKEN": self.token},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._listen, name="jupyterlab-log", daemon=True).start()
        if not self._serving.wait(STARTS_WITHIN_S) or not self.url:
            self.stop()
            end = "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-15:])
            raise CourseError(_("JupyterLab did not start. The end of its log:\n{log}").format(log=end))

    def wait(self) -> int:
        """Return JupyterLab's exit code once it has ended."""
        return self.process.wait()

    def stop(self) -> None:
        """End it with its kernels and terminals: asked first, killed when it does not listen."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _listen(self) -> None:
        if self.process.stderr is None:
            raise RuntimeError("JupyterLab was started without a pipe for its messages")
        with self.process.stderr as lines, self.log.open("w", encoding="utf-8") as log:
            for line in lines:
                log.write(line)
                log.flush()
                serving = _SERVING.search(line)
                if serving and not self.url and self._takes_calls(int(serving[1])):
                    self.url = f"http://127.0.0.1:{serving[1]}/lab?token={self.token}"
                    self._serving.set()
        # It has ended: whoever still waits for it to serve need not.
        self._serving.set()

    def _takes_calls(self, port: int) -> bool:
        """Wait until it does; False when it has ended. Jupyter Server tells its address a moment before it listens."""
        pause = threading.Event()
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                pause.wait(0.02)  # polling: nothing tells the moment
            else:
                return True
        return False

    def _command(self) -> list[str]:
        shell = [sys.executable, "-m", "docker_tutor", "shell"]
        settings = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.root_dir": str(self.folder),
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": os.getuid() == 0,
            "ServerApp.terminado_settings": {"shell_command": shell},
            # Kernels are spoken to through sockets that only their owner can open, not through TCP on loopback.
            "KernelManager.transport": "ipc",
            "LabApp.news_url": None,
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.extension_manager": "readonly",
            # It would run npm to look for language servers, and npm writes into the home folder.
            "LanguageServerManager.autodetect": False,
        }
        config = paths.runtime_folder() / "jupyterlab.json"
        nested: dict[str, dict[str, object]] = {}
        for key, value in settings.items():
            section, name = key.split(".")
            nested.setdefault(section, {})[name] = value
        config.write_text(json.dumps(nested, indent=1), encoding="utf-8")
        return [sys.executable, "-m", "jupyterlab", f"--config={config}"]


def _ask_for_no_news() -> None:
    """Answer JupyterLab's question whether it may fetch news with no, once: it would lie over the first notebook."""
    settings = Path(paths.jupyter_environment()["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab" / "apputils-extension"
    answer = settings / "notification.jupyterlab-settings"
    if not answer.exists():
        settings.mkdir(parents=True, exist_ok=True)
        answer.write_text(json.dumps({"fetchNews": "false"}), encoding="utf-8")
