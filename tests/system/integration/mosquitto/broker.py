"""A private MQTT broker of Debian's mosquitto: own directory, free loopback port, gone at the end."""
import getpass
import pathlib
import shutil
import socket
import subprocess
import tempfile

from tests.system.lab.process import Process, free_ports, wait_until


class Broker:
    """Keeps what it holds for clients that are away in memory only, as the default settings nearly do: a kill loses it."""

    def __init__(self, password=None, tls=False):
        self.directory = tempfile.mkdtemp(prefix="mainstay-mosquitto-")
        lines = ["allow_anonymous true"]
        if password:
            lines = ["allow_anonymous false", f"password_file {self.directory}/passwords"]
            subprocess.run(["mosquitto_passwd", "-b", "-c", f"{self.directory}/passwords", "hub", password], check=True)
        if tls:
            self.ca_file = f"{self.directory}/ca.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{self.directory}/key.pem",
                            "-out", self.ca_file], check=True, stderr=subprocess.DEVNULL)
            lines += [f"certfile {self.ca_file}", f"keyfile {self.directory}/key.pem"]
        self.port = free_ports(1)[0]
        self.process = None
        pathlib.Path(f"{self.directory}/mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n" + "\n".join(lines) + f"\npersistence false\nuser {getpass.getuser()}\n"
            "max_queued_messages 0\n", encoding="utf-8")

    def start(self):
        self.process = Process(["/usr/sbin/mosquitto", "-c", f"{self.directory}/mosquitto.conf"], f"{self.directory}/log")
        wait_until(self.accepts, 20, "the broker accepts connections")
        return self

    def accepts(self):
        if not self.process.running():
            raise RuntimeError("the broker ended: " + self.process.log_tail())
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self):
        self.process.kill()

    def stop(self):
        if self.process is not None:
            self.process.end()
        shutil.rmtree(self.directory, ignore_errors=True)
