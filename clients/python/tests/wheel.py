"""Builds the wheel from a copy of the source, into the directory that is named, and uses it from there.

    python3 wheel.py DIRECTORY
"""
import pathlib
import shutil
import subprocess
import sys
import zipfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]


def main():
    work = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(SOURCE, work / "source", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", work, work / "source"], check=True)
    wheel, = work.glob("mainstay-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as file:
        held = set(file.namelist())
    wanted = {f"mainstay/{path.name}" for path in (SOURCE / "src/mainstay").glob("*.py")} | {"mainstay/py.typed"}
    if not wanted <= held:
        sys.exit(f"the wheel lacks {sorted(wanted - held)}")
    # A wheel of Python alone can be used as it is.
    subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(wheel)!r}); import mainstay; "
                    "mainstay.Client('127.0.0.1:1').close(); print(mainstay.__file__)"], check=True, cwd=work)


if __name__ == "__main__":
    main()
