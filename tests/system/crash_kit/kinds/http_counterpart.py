"""An interface that is polled, and a POST that does again what comes again: only looking tells whether it happened."""
import json
import random
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = 7
SLOWEST_SECONDS = 0.01  # before and after a call does something


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # callers are killed in the middle of their requests


class Counterpart:
    collections = {"things": {}}

    def __init__(self, directory):
        self.lock, self.things, self.told, self.random = threading.Lock(), [], [], random.Random(directory.name)

        class Handler(Requests):
            owner = self
        self.server = Server(("127.0.0.1", 0), Handler)
        self.values = {"port": self.server.server_address[1]}
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def feed(self, number):
        # Dated before it can be seen, as by a transaction that takes its time: the overlap has to find it.
        changed = datetime.now(timezone.utc) - timedelta(seconds=0.5)
        with self.lock:
            self.things.append({"id": f"t{number}", "changed": changed.isoformat(timespec="milliseconds").replace("+00:00", "Z")})
        return {"record": f"things/t{number}", "effect": f"thing/t{number}"}

    def effects(self):
        with self.lock:
            return list(self.told)

    def page(self, query):
        since, after = query.get("since", [""])[0], int(query.get("after", ["0"])[0])
        with self.lock:
            found = [thing for thing in self.things if thing["changed"] >= since]
        page = {"items": found[after:after + PAGE]}
        if len(found) > after + PAGE:
            page["next"] = "/things?" + urllib.parse.urlencode({"since": since, "after": after + PAGE})
        return page

    def wait(self):
        time.sleep(self.random.uniform(0, SLOWEST_SECONDS))


class Requests(BaseHTTPRequestHandler):
    owner = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/things":
            return self.reply(200, self.owner.page(urllib.parse.parse_qs(url.query)))
        name = urllib.parse.unquote(url.path.removeprefix("/told/"))
        return self.reply(200 if name in self.owner.effects() else 404, {"name": name})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = urllib.parse.unquote(self.path.removeprefix("/told/"))
        self.owner.wait()
        with self.owner.lock:
            self.owner.told.append(name)
        self.owner.wait()
        self.reply(201, {"name": name})

    def reply(self, status, document):
        body = json.dumps(document).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the caller was killed
