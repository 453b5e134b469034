"""The MES: takes production orders, makes pieces on its machines, counts them, and tests each lot."""
from .counterpart import Counterpart
from .erp import RAW


class Mes(Counterpart):
    name = "mes"

    def live(self):
        running = self.all("job", "running")
        for number, job in running:
            self.make(number, job)
        free = self.options.machines - len(running)
        for number, job in self.all("job", "accepted")[:max(0, free)]:
            self.begin_session(job)
            self.put("job", number, "running", job)
        for key, lot in self.all("lot", "retest"):
            if self.ticks >= lot["retest_at"]:
                self.test(key, lot)

    # --- jobs ---

    def on_job(self, document):
        number = document["job"]
        known = self.get("job", number)
        if known is not None and int(document["revision"]) <= known["revision"]:
            return
        if document["state"] == "aborted":
            if known is None:
                known = {"made": {}, "item": document["item"], "quantity": 0, "lot": document["lot"], "session": 0, "counter": 0}
            known["revision"] = int(document["revision"])
            self.put("job", number, "aborted", known)
            return
        job = {"revision": int(document["revision"]), "item": document["item"], "quantity": int(document["qty"].split(".")[0]),
               "lot": document["lot"], "made": {}, "session": 0, "counter": 0}
        self.put("job", number, "accepted", job)
        self.report(number, {**job, "machine": "office", "session": 0}, {"good": 0, "scrap": 0}, "idle")

    def begin_session(self, job):
        """A machine counts from zero again each time it is started: its counters are good for one session."""
        job["session"] = self.store.next_number("session")
        job["machine"] = f"P{job['session'] % self.options.machines + 1}"
        job["counter"] = 0
        job["made"][str(job["session"])] = {"good": 0, "scrap": 0}

    def make(self, number, job):
        made = job["made"][str(job["session"])]
        missing = job["quantity"] - sum(session["good"] for session in job["made"].values())
        made["good"] += min(missing, self.random.randint(3, 9))
        made["scrap"] += self.random.random() < 0.2
        job["counter"] += 1
        done = sum(session["good"] for session in job["made"].values()) >= job["quantity"]
        self.report(number, job, made, "finished" if done else "running")
        if not done and self.random.random() < 0.05:
            self.begin_session(job)
        self.put("job", number, "finished" if done else "running", job)
        if done:
            self.test(job["lot"], {"item": job["item"], "job": number, "run": 0})

    def report(self, number, job, made, state):
        session, counter = job["session"], job["counter"]
        raw, grams = RAW[job["item"]]
        key = f"{number}.{job['machine']}.{session}.{counter}"
        used = grams * (made["good"] + made["scrap"])
        self.send("report", key, {
            "report": key, "job": number, "item": job["item"],
            "machine": job["machine"], "session": str(session),
            "counter": counter,
            "good": str(made["good"]), "scrap": str(made["scrap"]), "uom": "pcs", "lot": job["lot"], "state": state,
            "consumed": [{"item": raw, "qty": str(used), "uom": "g"}] if used else []})

    # --- quality ---

    def test(self, lot, known):
        """The first run may put a lot on hold; the second decides."""
        known["run"] += 1
        chance = self.random.random()
        if known["run"] == 1 and chance < self.options.holds:
            verdict, disposition = "hold", ""
        elif known["run"] > 1 and chance < 0.3:
            verdict, disposition = "failed", "scrap"
        else:
            verdict, disposition = "passed", "released" if known["run"] > 1 else ""
        known["retest_at"] = self.ticks + 10
        self.put("lot", lot, "retest" if verdict == "hold" else verdict, known)
        key = f"{lot}.{known['run']}"
        self.send("quality", key, {"result": key, "lot": lot, "item": known["item"], "job": known["job"], "characteristic": "length",
                                   "run": known["run"], "value": {"passed": "20.02", "hold": "20.11", "failed": "20.31"}[verdict],
                                   "uom": "mm", "low": "19.90", "high": "20.10", "verdict": verdict, "disposition": disposition})
