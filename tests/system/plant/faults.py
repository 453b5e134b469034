"""Misbehaviour on request: what a counterpart does wrong, and for how long.

A fault of documents harms the next `count` documents that the counterpart sends; a fault of the connection lasts
until it is cleared, or for `count` requests."""
import copy
import threading

DOCUMENT_FAULTS = {
    "duplicate": "the document is sent twice, the second time under another name",
    "late": "the document becomes visible only after ones with higher numbers: a late commit",
    "edit": "the document is sent again with other content under the same name",
    "poison": "the document is cut off in the middle",
    "drift": "a quantity becomes an object, and an unknown member appears",
    "extra": "an unknown member appears, which breaks nothing",
    "unit": "a unit of measure that nobody knows",
}
CONNECTION_FAULTS = {
    "slow": "each answer takes `value` seconds; over files: one document is taken each `value` seconds",
    "down": "connections are refused; over files: the directory is gone",
    "half_open": "requests are read and never answered, and do nothing; over files: nothing is taken",
    "lost_answer": "requests are carried out, and the connection breaks before the answer",
    "errors": "requests are answered with 500",
    "errors_after": "requests are carried out, and answered with 500",
}
LATE_TICKS = 25


class Faults:
    """Of one counterpart. For all threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._set = {}  # name -> [count left or None, value]

    def set(self, name, count=None, value=None):
        if name not in DOCUMENT_FAULTS and name not in CONNECTION_FAULTS:
            raise ValueError(f"there is no fault '{name}'; there are {', '.join([*DOCUMENT_FAULTS, *CONNECTION_FAULTS])}")
        if name in DOCUMENT_FAULTS and count is None:
            count = 1
        with self._lock:
            self._set[name] = [count, value]

    def clear(self, name=None):
        with self._lock:
            if name is None:
                self._set.clear()
            else:
                self._set.pop(name, None)

    def value(self, name):
        """Its value (True if it has none) while it is set; None otherwise."""
        with self._lock:
            found = self._set.get(name)
            return None if found is None else (True if found[1] is None else found[1])

    def use(self, name):
        """As value(), and counts one use."""
        with self._lock:
            found = self._set.get(name)
            if found is None:
                return None
            if found[0] is not None:
                found[0] -= 1
                if found[0] <= 0:
                    del self._set[name]
            return True if found[1] is None else found[1]

    def next_harm(self, kinds=None):
        """The document fault for the next document, or ''."""
        for name in kinds or DOCUMENT_FAULTS:
            if self.use(name) is not None:
                return name
        return ""

    def shown(self):
        with self._lock:
            return {name: {"count": count, "value": value} for name, (count, value) in self._set.items()}


def harmed(document, harm):
    """The document as the fault leaves it."""
    result = copy.deepcopy(document)
    places = [result, *result.get("lines", [])] if isinstance(result, dict) else []
    if harm in ("drift", "extra"):
        result["colour"] = "blue"
    for place in places:
        for name in ("qty", "good"):
            if harm == "drift" and name in place:
                place[name] = {"amount": place[name]}
        if harm == "unit" and "uom" in place:
            place["uom"] = "bushel?"
        if harm == "edit" and "note" in result:
            result["note"] = "edited after it was sent"
    return result
