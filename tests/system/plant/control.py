"""Steering a running plant over HTTP on loopback:

    GET  /state            what it holds, in numbers            GET  /received?system=wms      documents and how often they came
    POST /fault            {"system", "fault", "count", "value"}  POST /clear  {"system", "fault"}
    POST /mend             {"system"}: spoilt documents once more  POST /orders {"count"}: so many more orders
    POST /stop             ends the program
"""
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler

from .web import Server


class Control:
    def __init__(self, plant, port=0):
        self.plant, self.stopped = plant, threading.Event()
        control = self

        class Handler(Commands):
            owner = control
        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def read(self, path, query):
        if path == "/state":
            return self.plant.state()
        if path == "/received":
            with self.plant.lock:
                return [{"type": kind, "id": key, "times": times} for kind, key, times in self.plant.store.rows(
                    "select type, key, times from received where system = ? order by type, key", query["system"][0])]
        raise KeyError(path)

    def command(self, path, given):
        plant = self.plant
        if path == "/fault":
            plant.fault(given["system"], given["fault"], given.get("count"), given.get("value"))
        elif path == "/clear":
            plant.clear(given["system"], given.get("fault"))
        elif path == "/mend":
            return {"mended": plant.mend(given["system"])}
        elif path == "/orders":
            plant.options.orders += int(given["count"])
        elif path == "/stop":
            self.stopped.set()
        else:
            raise KeyError(path)
        return {}


class Commands(BaseHTTPRequestHandler):
    owner = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.reply(lambda: self.owner.read(url.path, urllib.parse.parse_qs(url.query)))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"
        self.reply(lambda: self.owner.command(self.path, json.loads(body)))

    def reply(self, make):
        try:
            status, found = 200, make()
        except KeyError as error:
            status, found = 404, {"error": f"there is no {error}"}
        except ValueError as error:
            status, found = 400, {"error": str(error)}
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
