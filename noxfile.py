"""What is checked, and how: `nox -l` lists it. Every session installs what it needs of Python.

Each says first when to run it, and how long that takes on two cores, after the first time. Where it needs what is no Python, it says so.
"""

import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["tests"]

SUPPORTED = ("3.11", "3.12", "3.13")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a test starts many processes, and each would compile everything anew
GROUPS = nox.project.load_toml("pyproject.toml")["dependency-groups"]

EVERYTHING = "cli,export,keyring,otel,phone,redis,report,taskiq"
"""All extras, for those who look at every line."""
QUICK = [f"tests/{room}" for room in ("units", "wire", "auth", "transport", "sessions", "sandbox", "cli/test_commands.py")]
"""What would see that a dependency or a Python is another one; under a minute on two cores. The rest of the tests is about ourselves."""


def is_here(version: str) -> bool:
    """Whether that Python starts; the stand-ins of version managers can be there and lead nowhere."""
    python = shutil.which(f"python{version}")
    return python is not None and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


PYTHONS = [version for version in SUPPORTED if is_here(version)]


def install(session: nox.Session, *groups: str, extras: str = "cli,export,keyring,otel,phone,redis,report") -> None:
    """Install the checkout with its extras, and what the groups name."""
    wanted = nox.project.dependency_groups({"dependency-groups": GROUPS}, *groups)
    session.install("-e", f".[{extras}]", *wanted)


@nox.session(python=PYTHONS or None)
def tests(session: nox.Session) -> None:
    """Before a merge, minutes: run the tests, with coverage, on the first supported Python; on others, those that would see another."""
    session.log(f"Pythons that are here: {', '.join(PYTHONS)}; supported: {', '.join(SUPPORTED)}")
    install(session, "test")
    everything = ["pytest", "-n", "auto", "--dist", "worksteal"]
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    if session.python not in {None, *PYTHONS[:1]}:
        session.run(*everything, "-m", "not once", *QUICK)
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", *everything)
    session.run("coverage", "combine", silent=True)
    session.run("coverage", "report")


@nox.session
def services(session: nox.Session) -> None:
    """Before a merge, minutes; needs Redis and Chromium: run the tests on them, and hold the sandbox to its OpenAPI files."""
    install(session, "test", "browser", "openapi", extras="cli,export,redis,report,taskiq")
    session.run("pytest", *(session.posargs or ["tests/services"]))


@nox.session
def network(session: nox.Session) -> None:
    """Before a release, minutes; needs root, ip and iptables: run the tests of two machines and a cable, which they make themselves."""
    install(session, "test")
    session.run("pytest", *(session.posargs or ["tests/network"]), env={"VOICEDROP_MUST_RUN": "1"})


@nox.session(python=PYTHONS[0] if PYTHONS else None, venv_backend="uv")
def oldest(session: nox.Session) -> None:
    """When dependencies change, minutes: run tests with the oldest version of each that `pyproject.toml` allows."""
    session.install("--resolution", "lowest-direct", "-e", ".[cli,keyring,phone]")
    session.install(*nox.project.dependency_groups({"dependency-groups": GROUPS}, "test"))
    session.run("uv", "pip", "list", external=True)
    session.run("pytest", "-q", "-n", "auto", "-m", "not once", *(session.posargs or QUICK))


@nox.session
def lint(session: nox.Session) -> None:
    """Every day, a minute: check style and formatting, the layers and public names of the house, workflows and scripts."""
    install(session, "test", "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("pytest", "-q", "tests/house/test_layers.py", "tests/house/test_public_names.py", "tests/tools")
    session.run("python", ".ci/workflows.py")


@nox.session
def types(session: nox.Session) -> None:
    """Every day, a minute: check the types of the package, and of a program that uses every public name."""
    install(session, "types", "bench", "docs", extras=EVERYTHING)
    session.run("mypy")
    session.run("basedpyright")


@nox.session
def readme(session: nox.Session) -> None:
    """When the README changes, a minute: run its programs, and hold its tables to what there is."""
    install(session, "test")
    session.run("pytest", "-q", "tests/house/test_readme.py")


@nox.session
def audit(session: nox.Session) -> None:
    """When dependencies change, seconds; needs the network: ask for known vulnerabilities; `-- --if-reachable` goes on without."""
    session.install(*nox.project.dependency_groups({"dependency-groups": GROUPS}, "audit"))
    with tempfile.TemporaryDirectory() as folder:
        requirements, report, complaints = (f"{folder}/{name}" for name in ("requirements.txt", "report.json", "complaints"))
        session.run("uv", "pip", "compile", "--quiet", "--all-extras", "--output-file", requirements, "pyproject.toml")
        with Path(complaints).open("w", encoding="utf-8") as stderr:
            session.run(
                *("pip-audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"),
                *("--requirement", requirements, "--format", "json", "--output", report),
                success_codes=[0, 1, 2],  # the report is judged, not the way it ended
                stderr=stderr,
            )
        session.run("python", ".ci/audit.py", requirements, report, complaints, *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """When curious, seconds: run the demo as a user would."""
    session.install(".[cli]")
    session.run("voicedrop", "demo")


@nox.session
def docs(session: nox.Session) -> None:
    """Before a merge, seconds: write the API reference (build/docs); fails on a public name of which nothing is said."""
    install(session, "docs", extras=EVERYTHING)
    session.run("python", "-W", "error", ".ci/reference.py", "build/docs")


@nox.session
def package(session: nox.Session) -> None:
    """Before a release, a minute: build wheel and sdist, and run the demo from the wheel in a clean environment; so does `.ci/run`."""
    session.install("build", "hatchling")
    with tempfile.TemporaryDirectory() as folder:
        session.run("python", "-m", "build", "--no-isolation", "--outdir", folder)
        wheel = next(Path(folder).glob("*.whl"))
        source = next(Path(folder).glob("*.tar.gz"))
        session.log(f"{wheel.name}: {wheel.stat().st_size} bytes; {source.name}: {source.stat().st_size} bytes")
        inside = zipfile.ZipFile(wheel).namelist()
        wanted = (
            "py.typed",
            "report/page.css",
            "sandbox/__init__.py",
            "sandbox/openapi/routee.yaml",
            "sandbox/openapi/spacivox.yaml",
            "sandbox/page/page.html",
            "sandbox/page/page.css",
            "sandbox/page/page.js",
            "sandbox/page/views.js",
            "sandbox/page/making.js",
            "cli/__init__.py",
        )
        missing = {f"voicedrop_async/{name}" for name in wanted} - set(inside)
        if missing or any(not name.startswith("voicedrop_async") for name in inside):
            session.error(f"the wheel lacks {missing}, or holds what it should not")
        clean = Path(folder) / "clean"
        session.run("python", "-m", "venv", str(clean))
        binaries = clean / ("Scripts" if os.name == "nt" else "bin")
        session.run(str(binaries / "python"), "-m", "pip", "install", "--quiet", f"{wheel}[cli]", external=True)
        session.chdir(folder)
        session.run(str(binaries / "voicedrop"), "demo", external=True)
        session.run(str(binaries / "python"), "-c", "import voicedrop_async.sandbox", external=True)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Before a release, half an hour: read a million odd answers, walk 100,000 lists that change; `-- --inputs 20000` only reads."""
    install(session, "test", "fuzz")
    session.run("python", "tests/fuzz/run.py", *session.posargs)
    if not session.posargs:
        session.run("pytest", "--timeout", "0", "tests/pages/test_pages_machine.py", env={"VOICEDROP_WALKS": "100000"})


@nox.session
def mutation(session: nox.Session) -> None:
    """When calls, pages, throttle or journal change, an hour; needs Redis: plant thousands of faults there, count what no test notices."""
    install(session, "test", "mutation", extras="cli,phone,redis")
    session.run("python", "tests/mutation.py")


@nox.session
def soak(session: nox.Session) -> None:
    """Before a release, minutes: send 10,000 campaigns and make 100,000 lookups under 10 % faults; the server's count is the judge."""
    session.install("-e", ".")
    session.run("python", "benchmarks/soak.py")
    session.run("python", "benchmarks/soak_lookups.py")


@nox.session
def scale(session: nox.Session) -> None:
    """Before a release, minutes; needs Redis: plan a year of 50,000,000 messages, walk some of it, and kill workers on the way.

    The workers of a morning are killed at 20 random moments, and a thousandth of the year is walked. Then four workers share a limit
    and a journal in a Redis that fails; `-- --shared` does that alone, other options the first alone.
    """
    install(session, extras="cli,redis")
    if session.posargs != ["--shared"]:
        session.run("python", "benchmarks/scale.py", *session.posargs)
    if session.posargs in ([], ["--shared"]):
        session.run("python", "benchmarks/shared.py")


@nox.session
def dask(session: nox.Session) -> None:
    """Before a release, a minute: run the README's plan on Dask, which the tests do not install."""
    install(session, "test", "dask", extras="cli,export")
    session.run("pytest", "tests/engines")


@nox.session
def bench(session: nox.Session) -> None:
    """When speed may change, half an hour: print what it all costs, beside goals; `-- --short` sees in a minute that it works."""
    install(session, "bench", *([] if "--short" in session.posargs else ["peers"]), extras="cli,export,report")
    session.run("python", "benchmarks/bench.py", *session.posargs)


@nox.session
def bench_journal(session: nox.Session) -> None:
    """When the journal changes, a minute: print what a send costs that is written down in a file, and how many there are in a second."""
    install(session)
    session.run("python", "benchmarks/journal.py", *session.posargs)
