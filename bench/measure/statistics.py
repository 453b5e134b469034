"""Small statistics: what a row of the tables is made of."""
import math
import statistics


def quantile(values, share):
    """The smallest value that at least `share` of all do not exceed; 0 when there is none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values):
    return statistics.median(values) if values else 0.0


def spread(values):
    """How far the rounds lie apart: half of the range, as a share of the median."""
    middle = median(values)
    return (max(values) - min(values)) / 2 / middle if values and middle else 0.0


def median_of(figures):
    """Medians of every number in a list of figures; what each round did in ops/s stays beside them, failures are added up."""
    keys = [key for key, value in figures[0].items() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    middle = {key: round(median([row[key] for row in figures]), 3) for key in keys}
    middle["ops_per_s_all"] = [row["ops_per_s"] for row in figures]
    middle["spread"] = round(spread(middle["ops_per_s_all"]), 3)
    middle["failures"] = sum(row["failures"] for row in figures)
    return middle


def distribution(values):
    """Quantiles of single measurements, as the reports show them."""
    return {"runs": len(values), "min": round(min(values), 1), "p50": round(median(values), 1), "p90": round(quantile(values, 0.9), 1),
            "p99": round(quantile(values, 0.99), 1), "max": round(max(values), 1), "all": [round(value, 1) for value in values]}


def ratio(ours, theirs):
    """How many times ours is theirs; None when theirs is nothing."""
    return round(ours / theirs, 2) if theirs else None


def slope_per_hour(points):
    """Least squares through (seconds, value), in units an hour; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / below if below else 0.0


def growth(points, head=0.25):
    """How much larger the median of the last part is than that of the first, as a share; `head`: the length of both parts. The first tenth
    is
    left out: caches fill then."""
    settled = points[len(points) // 10:]
    count = max(1, int(len(settled) * head))
    first, last = median([y for _, y in settled[:count]]), median([y for _, y in settled[-count:]])
    return (last - first) / first if first else 0.0
