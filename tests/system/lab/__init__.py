"""Real processes on this machine for tests, the demonstration and benchmarks: start, stop, kill, hang, and ask them over HTTP."""
