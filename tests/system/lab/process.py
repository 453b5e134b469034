"""Processes that are surely gone at the end, free ports, and waiting with a deadline."""
import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1


def free_ports(count):
    """`count` ports of loopback on which nobody listens, below those that the kernel gives to connections: a server that is started again
    must find its own port free, whatever the clients did meanwhile."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    found = []
    while len(found) < count:
        port = random.randint(max(2048, first // 2), first - 1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def wait_until(check, seconds, what):
    """Polls `check` until it is true and returns its value; raises TimeoutError naming `what` when the deadline has passed."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def can_trace():
    """Whether strace may change what system calls do here: not in every container."""
    try:
        return subprocess.run(["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", "inject=fsync:delay_enter=1", "true"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One child process with its output in a file. Ends with the parent, whatever happens to that."""

    def __init__(self, command, log_path, env=None):
        self.command = [str(part) for part in command]
        self.log_path = str(log_path)
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                start_new_session=True, preexec_fn=_die_with_parent)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def kill(self):
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        return self.popen.wait(10)

    def terminate(self, seconds=30):
        """SIGTERM; the exit code. Raises TimeoutExpired if it does not end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        return self.popen.wait(seconds)

    def end(self):
        """Whatever state it is in: gone afterwards."""
        if not self.running():
            return
        try:
            self.terminate(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def cpu_seconds(self):
        """User and system time so far; 0 when it is gone."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_tail(self, lines=20):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
