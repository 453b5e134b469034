"""A counterpart that speaks over HTTP:

    GET  /messages?type=T&after=N&limit=M  what it says: {"messages": [each with "seq", "message", "message_version"], "next": LINK},
                                           with an ETag; 304 while nothing is new; "next" only if there are more
    POST /documents/<type>/<id>            what the hub says to it; 201 with a number of its own. A repetition is a duplicate
    GET  /documents/<type>/<id>            200 if it has it, else 404
    GET  /stock                            what it has where
"""
import json
import socket
import sqlite3
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .faults import harmed

HOLD_SECONDS = 60  # how long a half-open connection is held at most


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


class WebLink:
    """The HTTP interface of one counterpart, on a port of its own."""

    def __init__(self, counterpart, port, lock):
        self.counterpart, self.port, self.lock = counterpart, port, lock
        self.server = None
        self.closing = threading.Event()

    def start(self):
        link = self

        class Handler(Requests):
            owner = link
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.closing.set()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def step(self):
        down = self.counterpart.faults.value("down") is not None
        if down and self.server is not None:
            self.stop()
        elif not down and self.server is None:
            self.closing.clear()
            self.start()
        return 0

    def write_stock(self, rows):
        pass

    # --- answers: (status, document, headers) ---

    def messages(self, query):
        party = self.counterpart
        after, limit = max(0, int(query.get("after", ["0"])[0] or 0)), min(1000, int(query.get("limit", ["200"])[0]))
        kind = query.get("type", ["%"])[0]
        with self.lock:
            rows = party.store.rows("select seq, name, document, harm, hidden_until from outbox where system = ? and seq > ?"
                                    " and type like ? order by seq limit ?", party.name, after, kind, limit + 1)
            ticks = party.ticks
        messages = []
        for seq, name, text, harm, hidden in rows[:limit]:
            if hidden <= ticks:  # else committed later than its number says: a reader without overlap misses it
                messages += self.copies(seq, name, json.loads(text), harm)
        following = rows[:limit][-1][0] if rows else after
        page = {"messages": messages}
        if len(rows) > limit:
            page["next"] = f"/messages?type={urllib.parse.quote(kind)}&limit={limit}&after={following}"
        return 200, page, {"ETag": f'"{following}"'}

    @staticmethod
    def copies(seq, name, document, harm):
        """The document as it is told: with its number, its name and a version; spoilt if that was asked for."""
        about = {"seq": seq, "message": name, "message_version": "2" if harm == "mended" else "1"}
        if harm == "poison":
            return [{**about, "text": json.dumps(document)[:40]}]
        if harm in ("drift", "extra", "unit"):
            return [{**harmed(document, harm), **about}]
        told = [{**document, **about}]
        if harm == "duplicate":
            told.append(told[0])
        if harm == "edit":
            told.append({**harmed(document, harm), **about, "message_version": "2"})
        return told

    def take(self, kind, key, document):
        with self.lock:
            try:
                first = self.counterpart.receive(kind, key, document.get("document", document))
            except (ValueError, KeyError, TypeError) as error:
                return 422, {"error": repr(error)}, {}
        return 201, {"number": f"{self.counterpart.name}-{key}", "first": first}, {}

    def look(self, kind, key):
        with self.lock:
            found = self.counterpart.has_received(kind, key)
        return (200, {"number": f"{self.counterpart.name}-{key}"}, {}) if found else (404, {"error": "no such document"}, {})

    def mended(self):
        """Mended documents are sent once more: they get new numbers at the end."""
        party = self.counterpart
        with self.lock, party.store.transaction():
            rows = party.store.rows("select seq, type, name, revision, document from outbox where system = ? and harm = 'mended'"
                                    " and written = 0", party.name)
            for seq, kind, name, revision, document in rows:
                party.store.run("delete from outbox where seq = ?", seq)
                party.store.run("insert into outbox(system, type, name, revision, document, harm, written)"
                                " values(?, ?, ?, ?, ?, 'mended', 1)", party.name, kind, name, revision, document)


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None
    wbufsize = -1  # one write an answer

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self):
        self.serve(None)

    def do_POST(self):
        self.serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_PUT = do_POST

    def serve(self, body):
        faults = self.owner.counterpart.faults
        if (slow := faults.use("slow")) is not None:
            time.sleep(float(slow))
        if faults.use("half_open") is not None:
            self.owner.closing.wait(HOLD_SECONDS)
            return self.break_off()
        if faults.use("errors") is not None:
            return self.answer(500, {"error": "as asked for"}, {})
        try:
            found = self.route(body)
        except (ValueError, KeyError) as error:
            found = 400, {"error": repr(error)}, {}
        except sqlite3.ProgrammingError:  # the plant has ended meanwhile
            return self.break_off()
        if body is not None and faults.use("lost_answer") is not None:
            return self.break_off()
        if body is not None and faults.use("errors_after") is not None:
            found = 500, {"error": "as asked for, too late"}, {}
        return self.answer(*found)

    def route(self, body):
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        if parts == ["messages"]:
            status, document, headers = self.owner.messages(urllib.parse.parse_qs(url.query))
            if self.headers.get("If-None-Match") == headers["ETag"] and not document["messages"]:
                return 304, None, headers
            return status, document, headers
        if parts[0] == "documents" and len(parts) == 3:
            if body is None:
                return self.owner.look(parts[1], parts[2])
            return self.owner.take(parts[1], parts[2], json.loads(body))
        if parts == ["stock"] and hasattr(self.owner.counterpart, "stock_rows"):
            return 200, {"stock": self.owner.counterpart.stock_rows()}, {}
        return 404, {"error": "there is no such thing here"}, {}

    def answer(self, status, document, headers):
        data = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def break_off(self):
        self.close_connection = True
        self.connection.close()
