"""The machine a measurement ran on, and what else ran there meanwhile."""
import os
import pathlib
import platform
import time

from bench.peers.peer import HERTZ, cpu_of


def busy_seconds():
    """CPU time of the whole machine so far, and what its hypervisor took."""
    fields = pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return (sum(ticks) - ticks[3] - ticks[4]) / HERTZ, ticks[7] / HERTZ


class Noise:
    """CPU cores that were busy with something else than what is measured, from now until `stop`."""

    def __init__(self, own):
        self._own = own  # CPU seconds so far of what is measured
        self._began, self._busy, self._before = time.monotonic(), busy_seconds()[0], own() + cpu_of(os.getpid())

    def stop(self):
        seconds = max(time.monotonic() - self._began, 1e-3)
        own = self._own() + cpu_of(os.getpid()) - self._before
        return round(max(0.0, busy_seconds()[0] - self._busy - own) / seconds, 2)


def flush_ms(directory, count=60):
    """The median time of appending 4 KiB to a file and flushing it, in milliseconds."""
    path, times = pathlib.Path(directory) / "flush-probe", []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(count):
            os.write(descriptor, b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return round(1000 * sorted(times)[len(times) // 2], 3)


def description():
    """Processor, cores, memory, disk and kernel, in one line each."""
    cpu = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
           if line.startswith("model name")]
    memory = int(pathlib.Path("/proc/meminfo").read_text(encoding="ascii").split()[1])
    return {"processor": f"{len(cpu)} × {cpu[0] if cpu else platform.machine()}", "memory": f"{memory / 2**20:.1f} GiB",
            "kernel": f"{platform.system()} {platform.release()}", "system": _system()}


def _system():
    try:
        lines = pathlib.Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.platform()
    return next((line.split("=", 1)[1].strip('"') for line in lines if line.startswith("PRETTY_NAME=")), "Linux")
