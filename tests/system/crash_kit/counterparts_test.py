"""The crash kit on the adapters whose counterparts have to be installed: private instances of Debian's servers.

    /usr/bin/python3 -m tests.system.crash_kit.counterparts_test --build DIR [-k name]

MAINSTAY_FLOWS=full for more kills."""
import os

from .kinds_test import FULL, OPTIONS, KitCase, main


class Counterparts(KitCase):
    def of_counterpart(self, name, kills, full):
        os.environ["MAINSTAY_BUILD"] = OPTIONS.build
        self.assert_exact(self.of_kind(name, kills=full if FULL else kills))

    def test_postgres(self):
        self.of_counterpart("postgres", 20, 200)

    def test_mosquitto(self):
        self.of_counterpart("mosquitto", 20, 200)

    def test_sftp(self):
        self.of_counterpart("sftp", 10, 100)

    def test_tryton(self):
        self.of_counterpart("tryton", 10, 60)


if __name__ == "__main__":
    main()
