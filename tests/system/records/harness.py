"""What the tests of the record model share: a cluster a test, clients of it, and a hand that kills leaders."""
import argparse
import concurrent.futures
import os
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "clients/python/src"))

import mainstay

from tests.system.lab import scratch
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check", full=os.environ.get("MAINSTAY_RECORDS") == "full")

# A node dies with the thread that started it, so all are started by this one, which lasts as long as the process.
HANDS = concurrent.futures.ThreadPoolExecutor(max_workers=1)

# Gives up on a node early and asks the next, so that many requests arrive more than once.
AGGRESSIVE = mainstay.Policy(timeout=30.0, connect_timeout=0.2, first_attempt=0.1, pause_first=0.005, pause_max=0.05)


def sized(short, full):
    """How much of it: short in ./check, all of it with MAINSTAY_RECORDS=full or --full."""
    return full if OPTIONS.full else short


def tell(text):
    print(f"    {text}", flush=True)


class ClusterCase(unittest.TestCase):
    """A fresh cluster a class; without authentication unless the class says otherwise."""

    options = {"auth.enabled": False}
    environment = None  # of lab daemons

    @classmethod
    def setUpClass(cls):
        cls.directory = scratch.make("records")
        cls.addClassCleanup(scratch.remove, cls.directory)
        cls.cluster = Cluster(cls.directory, build=OPTIONS.build, options=cls.options, environment=cls.environment)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def setUp(self):
        self.addCleanup(self._tell_why)

    def _tell_why(self):
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            for node in self.cluster.ids:
                print(f"--- node {node}\n{self.cluster.processes[node].log_tail()}", file=sys.stderr)

    def client(self, *nodes, **more):
        """A client of these nodes and no others, or of all."""
        endpoints = [self.cluster.endpoint(node) for node in nodes] or self.cluster.endpoints
        client = mainstay.Client(endpoints, **{"discover": not nodes, "timeout": 30.0, **more})
        self.addCleanup(client.close)
        return client

    def start_killing(self, kills=None, pause=0.0):
        """So many times; without a number until stop()."""
        killer = LeaderKiller(self.cluster, kills, pause)
        self.addCleanup(killer.stop)
        killer.start()
        return killer


class Worker(threading.Thread):
    """Runs `work(enough)` until it returns; `join_or_raise` hands on what it raised."""

    def __init__(self, work, *args):
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self._work, self._args, self._error = work, args, None
        self.start()

    def run(self):
        try:
            self._work(self.enough, *self._args)
        except BaseException as error:
            self._error = error

    def join_or_raise(self, seconds=120):
        self.join(seconds)
        if self._error is not None:
            raise self._error
        if self.is_alive():
            raise TimeoutError(f"{self._work.__name__} did not end within {seconds} s")


class LeaderKiller(threading.Thread):
    """Kills the leader with SIGKILL, lets the others go on, starts it again, waits until it is ready; so often. A pause before each
    kill lets the load go on for a while."""

    def __init__(self, cluster, kills, pause=0.0):
        super().__init__(daemon=True)
        self.cluster, self.kills, self.done, self.error = cluster, kills, 0, None
        self._pause, self._enough = pause, threading.Event()

    def run(self):
        try:
            while (self.kills is None or self.done < self.kills) and not self._enough.wait(self._pause):
                victim = self.cluster.leader(20)
                self.cluster.kill(victim)
                self.done += 1
                wait_until(lambda: self._other_leader(victim), 20, "another leader")
                HANDS.submit(self.cluster.start_node, victim).result()
                self.cluster.wait_ready()
        except BaseException as error:
            self.error = error

    def _other_leader(self, victim):
        views = [self.cluster.view(node) for node in self.cluster.ids if node != victim]
        return any(view and view["role"] == "leader" for view in views)

    def running(self):
        return self.is_alive()

    def finish(self, seconds=180):
        self.join(seconds)
        if self.error is not None:
            raise self.error
        if self.is_alive():
            raise TimeoutError(f"{self.done} of {self.kills} kills after {seconds} s")

    def stop(self):
        """After the kill that is under way; raises what went wrong."""
        self._enough.set()
        self.finish(60)


def settle(client, call, *args, operation, **more):
    """Calls until the outcome is definite: True if it was carried out, False if it never will be."""
    while True:
        try:
            call(*args, operation=operation, **more)
            return True
        except mainstay.OutcomeUnknown:
            return client.fence(operation, timeout=60.0).committed
        except mainstay.TryAgain:
            continue  # nothing of it can still happen: the same operation again


def insist(call, *args, **more):
    """Calls until there is an answer: for what may be repeated as often as one likes."""
    while True:
        try:
            return call(*args, **more)
        except (mainstay.OutcomeUnknown, mainstay.TryAgain):
            continue
