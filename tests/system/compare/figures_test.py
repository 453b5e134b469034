"""The statistics, tables, plots, goals and plans behind the measuring commands.

    python3 -m tests.system.compare.figures_test
"""
import io
import sys
import unittest
import xml.etree.ElementTree

from bench import goals
from bench.measure import plot, statistics, table
from bench.measure.progress import Plan, Step
from bench.peers.peer import free_ports
from bench.rows import shown


def figures(ops, p99=1.0, failures=0):
    return {"ops_per_s": ops, "p50_ms": p99 / 2, "p99_ms": p99, "cpu_us_per_op": 100.0, "failures": failures, "other_cores": 0.1,
            "over_1s": 0,
            "protocol": "mainstay"}


def rate_row(row, clients, peer, ours, theirs):
    return {"row": row, "case": f"{clients} clients", "clients": clients, "peer": peer, "mainstay": statistics.median_of([figures(ours)]),
            "peer_figures": statistics.median_of([figures(theirs)]), "ratio": statistics.ratio(ours, theirs)}


class StatisticsTest(unittest.TestCase):
    def test_quantiles_are_values_that_occurred(self):
        values = list(range(1, 101))
        self.assertEqual([1, 50, 99, 100], [statistics.quantile(values, share) for share in (0, 0.5, 0.99, 1)])
        self.assertEqual(7, statistics.quantile([7], 0.99))
        self.assertEqual(0.0, statistics.quantile([], 0.5))

    def test_medians_of_rounds_keep_what_each_round_did(self):
        middle = statistics.median_of([figures(100, 3), figures(300, 1, failures=2), figures(200, 2, failures=1)])
        self.assertEqual((200, 2, 3), (middle["ops_per_s"], middle["p99_ms"], middle["failures"]))
        self.assertEqual([100, 300, 200], middle["ops_per_s_all"])
        self.assertEqual(0.5, middle["spread"])
        self.assertNotIn("protocol", middle)

    def test_a_distribution_has_its_extremes(self):
        found = statistics.distribution([5.0, 1.0, 3.0])
        self.assertEqual((3, 1.0, 3.0, 5.0), (found["runs"], found["min"], found["p50"], found["max"]))

    def test_a_ratio_to_nothing_is_none(self):
        self.assertEqual(2.5, statistics.ratio(5, 2))
        self.assertIsNone(statistics.ratio(5, 0))

    def test_growth_and_slope_tell_flat_from_rising(self):
        flat = [(t, 100.0 + t % 3) for t in range(0, 600)]
        rising = [(t, 100.0 + t) for t in range(0, 600)]
        self.assertLess(abs(statistics.growth(flat)), 0.02)
        self.assertGreater(statistics.growth(rising), 1)
        self.assertAlmostEqual(3600, statistics.slope_per_hour(rising), places=3)
        self.assertEqual(0, statistics.slope_per_hour([(1, 1)]))

    def test_growth_leaves_the_beginning_out(self):
        warming = [(t, 10.0 if t < 60 else 100.0) for t in range(0, 600)]
        self.assertEqual(0, statistics.growth(warming, head=0.1))


class TableTest(unittest.TestCase):
    def test_text_is_aligned(self):
        lines = table.text(["side", "ops"], [("mainstay", "12"), ("etcd", "1 234")]).splitlines()
        self.assertEqual(["side      ops", "--------  -----", "mainstay     12", "etcd      1 234"], lines)

    def test_markdown_and_numbers(self):
        self.assertEqual("| a | b |\n|---|---|\n| 1 | x |", table.markdown(["a", "b"], [(1, "x")]))
        self.assertEqual(["1 234 568", "0.12", "–"], [table.number(1234567.8), table.number(0.123, 2), table.number(None)])


class PlotTest(unittest.TestCase):
    def parse(self, svg):
        return xml.etree.ElementTree.fromstring(svg)

    def test_lines_lie_within_the_frame_on_any_axis(self):
        series = {"a & b": [(1, 10), (16, 1000), (512, 20_000)], "c": [(1, 5), (512, 0)]}
        for logarithmic in (False, True):
            root = self.parse(plot.lines("t < u", "x", "y", series, logarithmic, logarithmic, marks=[(4, "kill")]))
            points = [float(part) for line in root.iter("{http://www.w3.org/2000/svg}polyline")
                      for point in line.get("points").split() for part in point.split(",")]
            self.assertEqual(10, len(points))
            self.assertTrue(all(0 <= point <= plot.WIDTH for point in points), points)

    def test_bars_are_as_many_as_values(self):
        root = self.parse(plot.bars("t", "y", {"1": {"a": 2, "b": 4}, "16": {"a": 8}}, ["a", "b"], log_y=True))
        bars = [bar for bar in root.iter("{http://www.w3.org/2000/svg}rect") if bar.find("{http://www.w3.org/2000/svg}title") is not None]
        self.assertEqual(3, len(bars))

    def test_ticks_are_round(self):
        self.assertEqual([0, 20, 40, 60, 80], plot.Axis([3, 97], 0, 1, from_zero=True).ticks()[:5])
        self.assertEqual([1, 10, 100, 1000], plot.Axis([3, 970], 0, 1, logarithmic=True).ticks())
        self.assertEqual(["12k", "1.5M", "0.25"], [plot.short(value) for value in (12_000, 1_500_000, 0.25)])


class GoalsTest(unittest.TestCase):
    def test_the_worst_measurement_counts(self):
        rows = [rate_row("writes", 64, "etcd HTTP", 6000, 1000), rate_row("writes", 64, "etcd gRPC", 7000, 1000)]
        found = {what: (value, verdict) for what, value, _, _, verdict in goals.verdicts(rows)}
        self.assertEqual((6.0, "first bar met"), found["times etcd HTTP, writes, 64 clients"])
        self.assertEqual((7.0, "goal met"), found["times etcd gRPC, writes, 64 clients"])
        self.assertEqual((100.0, "below"), found["µs CPU a write, 64 clients"])
        self.assertNotIn("follower lag p99 ms", found)
        rows[1]["mainstay"]["p99_ms"] = 12.0
        self.assertIn(("p99 ms, 64 clients", 12.0, 15, 8, "first bar met"), goals.verdicts(rows))
        rows.append(rate_row("writes", 64, "etcd HTTP", 4000, 1000))
        self.assertIn(("times etcd HTTP, writes, 64 clients", 4.0, 5, 10, "below"), goals.verdicts(rows))

    def test_rows_of_a_peer_are_not_ours(self):
        rows = [{"row": "kill", "peer": "etcd", "mainstay": None, "peer_figures": {"gap_ms": 1}, "ratio": None, "case": "1 runs"}]
        self.assertEqual([], goals.verdicts(rows))


class ShownTest(unittest.TestCase):
    def test_a_line_names_both_sides_and_the_ratio(self):
        line = shown.line(rate_row("writes", 64, "etcd gRPC", 7000, 1000))
        for part in ("writes", "64 clients", "7000/s", "etcd gRPC", "ratio 7.00"):
            self.assertIn(part, line)


class PlanTest(unittest.TestCase):
    def test_a_failure_ends_its_group_only(self):
        done = []

        def fails():
            raise RuntimeError("no such thing")
        out = io.StringIO()
        plan = Plan([Step("a1", 1, fails, "a"), Step("a2", 1, lambda: done.append("a2"), "a"), Step("b", 1, lambda: done.append("b"),
                "b")], out)
        self.assertFalse(plan.run())
        self.assertEqual(["b"], done)
        self.assertEqual([("a1", "no such thing")], plan.failures)
        self.assertIn("about", out.getvalue())


class PortsTest(unittest.TestCase):
    def test_ports_are_different_and_below_those_of_connections(self):
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            first = int(file.read().split()[0])
        ports = free_ports(20)
        self.assertEqual(20, len(set(ports)))
        self.assertTrue(all(1024 <= port < first for port in ports), ports)


if __name__ == "__main__":
    # Every system test is told its build directory; these need none.
    unittest.main(argv=[sys.argv[0]], verbosity=2)
