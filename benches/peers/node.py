"""A node that is measured beside a peer: started, filled, asked, stopped."""

import json
import subprocess
import urllib.request


class Node:
    def __init__(self, program, directory):
        self.program = program
        command = [program, "serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", str(directory / "node")]
        self.log = (directory / "node.log").open("w")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env={"INTELGRAPH_LOG": "warn"})
        ready = json.loads(self.process.stdout.readline())
        self.url, self.token = ready["url"], ready["token"]

    def import_file(self, path, source):
        command = [self.program, "import", str(path), "--format", "jsonl", "--source", source, "--json"]
        command += ["--purpose", "threat-intel", "--licence", "Open-Data-OK"]
        environment = {"INTELGRAPH_URL": self.url, "INTELGRAPH_TOKEN": self.token}
        done = subprocess.run(command, env=environment, check=True, capture_output=True)
        return json.loads(done.stdout)

    def post(self, path, content_type, body):
        headers = {"authorization": f"Bearer {self.token}", "content-type": content_type}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def search(self, words, types):
        variables = {"q": words, "limit": 10, "types": types}
        return self.post("/graphql", "application/json", {"id": "search:v1", "variables": variables})

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
