"""An adapter in a process of its own (tests/harness/adapter_driver.cpp): called with JSON lines, killed at any moment."""
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time


class DriverGone(Exception):
    """The process ended before it answered."""


class AdapterError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Adapter:
    """One adapter of this kind. Calls wait at most `patience` seconds."""

    def __init__(self, build, kind, settings, call_timeout_ms=10_000, patience=60):
        self.patience = patience
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(settings, file)
        self.settings_path = file.name
        self.log = tempfile.TemporaryFile()
        self.popen = subprocess.Popen(
            [pathlib.Path(build) / "tests/harness/adapter_driver", kind, file.name, str(call_timeout_ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, call, **arguments):
        """Asks without waiting for the answer."""
        try:
            self.popen.stdin.write(json.dumps({"call": call, **arguments}).encode() + b"\n")
            self.popen.stdin.flush()
        except BrokenPipeError as gone:
            raise DriverGone() from gone

    def answer(self):
        deadline = time.monotonic() + self.patience
        while b"\n" not in self.unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.popen.stdout], [], [], left)[0]:
                raise TimeoutError(f"no answer within {self.patience} s")
            part = os.read(self.popen.stdout.fileno(), 1 << 20)
            if not part:
                raise DriverGone()
            self.unread += part
        line, self.unread = self.unread.split(b"\n", 1)
        return json.loads(line)

    def ask(self, call, **arguments):
        self.send(call, **arguments)
        answer = self.answer()
        if "error" in answer:
            raise AdapterError(answer["error"], answer["message"])
        return answer

    def fetch(self, position="", most=500):
        return self.ask("fetch", position=position, max=most)

    def read_all(self, position="", most=500):
        """All pages until one is empty: messages and position."""
        messages = []
        while True:
            page = self.fetch(position, most)
            messages += page["messages"]
            position = page["position"]
            if not page["messages"]:
                return messages, position

    def observe(self, kind):
        items, after = [], ""
        while True:
            page = self.ask("observe", kind=kind, after=after)
            items += page["items"]
            after = page["next"]
            if not after:
                return items

    def log_text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def kill(self):
        self.popen.send_signal(signal.SIGKILL)
        self.close()

    def close(self):
        self.popen.stdin.close() if not self.popen.stdin.closed else None
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(10)
        self.popen.stdout.close()
        self.log.close()
        pathlib.Path(self.settings_path).unlink(missing_ok=True)
