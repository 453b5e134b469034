"""Starts an OpenSSH server of its own on a free port, with keys of its own, and runs sftp_check against it.

Without sshd (Debian package openssh-server) the test says so, by name, and passes: "not run: ..."; ./check --integration installs it
and takes no excuse (MAINSTAY_COUNTERPARTS=required).
"""
import argparse
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def known(path, port, key):
    kind, text = pathlib.Path(f"{key}.pub").read_text().split()[:2]
    path.write_text(f"[127.0.0.1]:{port} {kind} {text}\n")
    return path


def wait_for(port, server):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


class SftpServer:
    """Serves below `place`, on a free port; `key`, `known_hosts`: what a client needs. For whoever may log in by that key: the caller."""

    def __init__(self, place):
        self.place, self.port = place, free_port()
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # a server of root insists on it
        host, self.key = new_key(place / "host"), new_key(place / "user")
        self.known_hosts = known(place / "known", self.port, host)
        shutil.copy(place / "user.pub", place / "authorized")
        (place / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {place / 'authorized'}\nStrictModes no\n"
            f"PasswordAuthentication no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp\n")
        with open(place / "log", "w", encoding="utf-8") as log:
            self.popen = subprocess.Popen([program(), "-D", "-e", "-f", place / "sshd_config"], stderr=log)
        if not wait_for(self.port, self.popen):
            self.stop()
            raise RuntimeError("the server does not start: " + self.log())

    def log(self):
        return (self.place / "log").read_text(encoding="utf-8")

    def stop(self):
        self.popen.terminate()
        self.popen.wait(10)


def program():
    return shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    if program() is None or shutil.which("ssh-keygen") is None:
        print("system_sftp: not run: sshd and ssh-keygen are not installed (Debian packages openssh-server, openssh-client)")
        return int(os.environ.get("MAINSTAY_COUNTERPARTS") == "required")
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        (place / "files").mkdir()
        server = SftpServer(place)
        try:
            other = new_key(place / "other")
            environment = dict(os.environ, SFTP_URL=f"sftp://{getpass.getuser()}@127.0.0.1:{server.port}", SFTP_KEY=str(server.key),
                               SFTP_OTHER_KEY=str(other), SFTP_KNOWN_HOSTS=str(server.known_hosts),
                               SFTP_OTHER_HOSTS=str(known(place / "others", server.port, other)), SFTP_ROOT=str(place / "files"))
            code = subprocess.run([build / "tests/system/sftp/sftp_check"], env=environment, timeout=100, check=False).returncode
            if code != 0:
                print(server.log()[-3000:])
            return code
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
