"""Files at an OpenSSH server of its own."""
import getpass

import file_counterpart

from tests.system.sftp.sftp_server import SftpServer


class Counterpart(file_counterpart.Counterpart):
    def __init__(self, directory):
        files = directory / "files"
        files.mkdir()
        super().__init__(files)
        self.server = SftpServer(directory)
        self.values = {"url": f"sftp://{getpass.getuser()}@127.0.0.1:{self.server.port}{files}", "key": self.server.key,
                       "known": self.server.known_hosts}

    def stop(self):
        self.server.stop()
