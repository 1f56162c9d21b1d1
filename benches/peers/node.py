"""A node that is measured beside a peer: started, filled, asked, stopped."""

import atexit
import http.client
import json
import socket
import subprocess
import time

# The node closes a connection that is quiet for longer.
QUIET_SECONDS = 5


class Client:
    """One kept-open connection that costs its process little: requests are made beforehand, and of answers only the end is looked for."""

    def __init__(self, url, token):
        self.token = token
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, path, content_type, body):
        head = f"POST {path} HTTP/1.1\r\nhost: node\r\nauthorization: Bearer {self.token}\r\n"
        return f"{head}content-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

    def exchange(self, request):
        self.socket.sendall(request)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self.received()
        head = answer[:end].lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(answer) < end + 4 + length:
            answer += self.received()
        assert head.startswith(b"http/1.1 200"), answer

    def received(self):
        piece = self.socket.recv(65536)
        assert piece, "the node closed the connection"
        return piece


class Node:
    def __init__(self, program, directory):
        self.program = program
        command = [program, "serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", str(directory / "node")]
        self.log = (directory / "node.log").open("w")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env={"INTELGRAPH_LOG": "warn"})
        atexit.register(self.process.kill)
        ready = json.loads(self.process.stdout.readline())
        self.url, self.token = ready["url"], ready["token"]
        self.connect()

    def connect(self):
        """Kept open, as a client of Postgres keeps its connection."""
        self.connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked = time.monotonic()

    def import_file(self, path, source):
        command = [self.program, "import", str(path), "--format", "jsonl", "--source", source, "--json"]
        command += ["--purpose", "threat-intel", "--licence", "Open-Data-OK"]
        environment = {"INTELGRAPH_URL": self.url, "INTELGRAPH_TOKEN": self.token}
        done = subprocess.run(command, env=environment, check=True, capture_output=True)
        return json.loads(done.stdout)

    def post(self, path, content_type, body):
        if time.monotonic() - self.asked > QUIET_SECONDS:
            self.connect()
        headers = {"authorization": f"Bearer {self.token}", "content-type": content_type}
        self.connection.request("POST", path, json.dumps(body).encode(), headers)
        answer = self.connection.getresponse()
        said = json.load(answer)
        self.asked = time.monotonic()
        assert answer.status == 200, said
        return said

    def search(self, words, types):
        variables = {"q": words, "limit": 10, "types": types}
        return self.post("/graphql", "application/json", {"id": "search:v1", "variables": variables})

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
