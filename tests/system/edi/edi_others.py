"""What we write as X12 and EDIFACT is read by others (node-x12, edifact; from npm, into the build directory), and what they write by us.

Without npm or its registry the test says so, by name, and passes: "not run: ..."; ./check --integration installs npm and takes no
excuse (MAINSTAY_COUNTERPARTS=required).
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PACKAGES = ["node-x12@1.7.1", "edifact@1.2.12"]
INTERCHANGES = 500

READ = """
const fs = require('fs'), path = require('path');
const { X12Parser, X12Interchange } = require('node-x12');
const Edifact = require('edifact/parser.js');
const dir = process.argv[2];
function x12(text) {
  const segments = new X12Parser(true).parse(text).functionalGroups[0].transactions[0].segments;
  return segments.map(s => [s.tag].concat(s.elements.map(e => e.value.split('>'))));
}
function edifact(text) {
  const all = []; let parts;
  const parser = new Edifact();
  parser.encoding && parser.encoding('UNOC');
  parser.on('opensegment', tag => all.push([tag]));
  parser.on('element', () => { parts = []; all[all.length - 1].push(parts); });
  parser.on('component', data => parts.push(data));
  parser.write(text); parser.end();
  return all.filter(s => !['UNA', 'UNB', 'UNH', 'UNT', 'UNZ'].includes(s[0]));
}
const out = {};
for (const name of fs.readdirSync(dir)) {
  const kind = path.extname(name).slice(1);
  if (kind === 'json') continue;
  const text = fs.readFileSync(path.join(dir, name), 'utf8');
  try { out[name] = kind === 'x12' ? x12(text) : edifact(text); } catch (error) { out[name] = String(error); }
}
fs.writeFileSync(path.join(dir, 'others.out'), JSON.stringify(out));
// And the other way: the same transactions as node-x12 writes them.
for (const name of fs.readdirSync(dir).filter(n => n.endsWith('.x12'))) {
  const parsed = new X12Parser(true).parse(fs.readFileSync(path.join(dir, name), 'utf8'));
  fs.writeFileSync(path.join(dir, name + '.again'), parsed.toString());
}
"""


def plain(segments):
    """Without empty elements and components at the end, which may be written or not."""
    result = []
    for tag, *elements in segments:
        kept = []
        for parts in elements:
            while parts and parts[-1] == "":
                parts = parts[:-1]
            kept.append(parts)
        while kept and not kept[-1]:
            kept.pop()
        result.append([tag, *kept])
    return result


def install(folder):
    """Why it cannot be run; None: it is there."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "npm and node are not installed"
    if (folder / "node_modules" / "node-x12").is_dir() and (folder / "node_modules" / "edifact").is_dir():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES], cwd=folder,
                          capture_output=True, text=True, timeout=200, check=False)
    return None if done.returncode == 0 else f"npm cannot install {PACKAGES}: {done.stderr.strip()[-300:]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    folder = build / "npm" / "edi"
    reason = install(folder)
    if reason:
        print(f"system_edi_others: not run: {reason}")
        return int(os.environ.get("MAINSTAY_COUNTERPARTS") == "required")
    program = build / "tests/system/edi/edi_exchange"
    wrong = []
    counts = {"x12": 0, "edifact": 0, "again": 0}
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        subprocess.run([program, "write", place, str(INTERCHANGES)], check=True, timeout=60)
        subprocess.run(["node", "-", place], input=READ, text=True, cwd=folder, check=True, timeout=120)
        theirs = json.loads((place / "others.out").read_text())
        for name, segments in theirs.items():
            ours = json.loads((place / name).with_suffix(".json").read_text())
            counts[name.split(".")[1]] += 1
            if isinstance(segments, str) or plain(segments) != plain(ours):
                wrong.append(f"{name}: others read {segments}, we wrote {ours}")
        for again in sorted(place.glob("*.again")):
            ours = json.loads((place / again.name.split(".")[0]).with_suffix(".json").read_text())
            read = subprocess.run([program, "read", again], capture_output=True, text=True, timeout=20, check=False)
            counts["again"] += 1
            if read.returncode != 0 or plain(json.loads(read.stdout)) != plain(ours):
                wrong.append(f"{again.name}: {read.stderr or read.stdout}")
    print(f"read by node-x12: {counts['x12']}, by edifact: {counts['edifact']}; written by node-x12 and read by us: {counts['again']}")
    for line in wrong[:5]:
        print(line[:500])
    if wrong or not all(counts.values()):
        print(f"{len(wrong)} interchanges differ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
