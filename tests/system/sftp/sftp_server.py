"""Starts an OpenSSH server of its own on a free port, with keys of its own, and runs sftp_check against it.

Without sshd (Debian package openssh-server) the test says so, by name, and passes: "not run: ...".
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    sshd = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if sshd is None or shutil.which("ssh-keygen") is None:
        print("system_sftp: not run: sshd and ssh-keygen are not installed (Debian packages openssh-server, openssh-client)")
        return 0
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # a server of root insists on it
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        port = free_port()
        host, user, other = (new_key(place / name) for name in ("host", "user", "other"))
        shutil.copy(place / "user.pub", place / "authorized")
        (place / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {place / 'authorized'}\nStrictModes no\n"
            f"PasswordAuthentication no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n")
        (place / "files").mkdir()
        server = subprocess.Popen([sshd, "-D", "-e", "-f", place / "sshd_config"], stderr=(place / "log").open("w"))
        try:
            if not wait_for(port, server):
                print((place / "log").read_text())
                print("the server does not start")
                return 1
            environment = dict(os.environ, SFTP_URL=f"sftp://{getpass.getuser()}@127.0.0.1:{port}", SFTP_KEY=str(user),
                               SFTP_OTHER_KEY=str(other), SFTP_KNOWN_HOSTS=str(known(place / "known", port, host)),
                               SFTP_OTHER_HOSTS=str(known(place / "others", port, other)), SFTP_ROOT=str(place / "files"))
            code = subprocess.run([build / "tests/system/sftp/sftp_check"], env=environment, timeout=100, check=False).returncode
            if code != 0:
                print((place / "log").read_text()[-3000:])
            return code
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
