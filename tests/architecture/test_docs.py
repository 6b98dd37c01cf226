"""What the docs say is there, and what is there is said: settings, commands, addresses, libraries, links, paths."""

import inspect
import json
import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_VARIABLE = re.compile(r'(?:environ(?:\.get|\.setdefault)?[\[(]|_required\(|_secret_file\()"([A-Z_]+)"')
# Read by other programs, or by the tests only.
_NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE", "DOSETRAIL_TEST_DATABASE"}


def tracked(*patterns: str) -> list[Path]:
    """The files under version control that match."""
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_variable_that_the_program_reads_is_in_the_operations_guide() -> None:
    sources = [path for path in tracked("traceability/*.py", "ledger/*.py") if "/tests/" not in str(path)]
    used = {name for path in sources for name in _VARIABLE.findall(path.read_text())} - _NOT_SETTINGS
    documented = set(re.findall(r"`([A-Z][A-Z_]{3,})`", read("docs/operations.md")))
    assert len(used) > 10
    assert used - documented == set()


def test_every_command_is_in_the_operations_guide() -> None:
    ours = {name for name, app in get_commands().items() if app.startswith(("traceability", "ledger"))}
    text = read("docs/operations.md")
    assert len(ours) > 8
    assert {name for name in ours if f"manage.py {name}" not in text} == set()


def test_every_documented_command_exists() -> None:
    named = {name for path in DOCS for name in re.findall(r"manage\.py ([a-z_]+)", path.read_text())}
    assert named - set(get_commands()) - {"command"} == set()


def _addresses() -> list[str]:
    found: list[str] = []

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for pattern in patterns:
            address = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, address)
            elif address.startswith(("epcis/", "api/")):
                found.append(re.sub(r"<(?:\w+:)?\w+>", "{}", address.lstrip("^").rstrip("$")))

    walk(get_resolver().url_patterns, "")
    return found


def test_every_api_address_is_documented() -> None:
    text = re.sub(r"\{[^}]*\}", "{}", read("docs/api.md"))
    assert len(_addresses()) > 8
    assert [address for address in _addresses() if f"/{address}" not in text] == []


def test_every_check_and_metric_is_in_the_operations_guide() -> None:
    from traceability.operations import health, urls

    sources = [read("traceability/operations/metrics.py"), read("traceability/common/metrics.py")]
    families = {name for source in sources for name in re.findall(r'"(dosetrail_[a-z_]+)"', source)}
    addresses = {f"/{one.pattern}" for one in urls.urlpatterns}
    text = read("docs/operations.md")
    assert len(families) > 18
    wanted = {*health.NAMES, *addresses, *families} - {"dosetrail_build"}
    assert {name for name in wanted if f"`{name}`" not in text} == set()


def test_the_example_s_variables_and_commands_are_in_the_operations_guide() -> None:
    text = read("docs/operations.md")
    names = re.findall(r"^([A-Z_]+)=", read("deploy/dosetrail.env"), re.MULTILINE)
    assert len(names) > 8
    assert [name for name in names if name not in text] == []
    started = [
        re.findall(r"^ExecStart=\S+/(.+)$", path.read_text(), re.MULTILINE) for path in tracked("deploy/systemd/*")
    ]
    assert sorted(one.split()[0] for (one,) in started) == ["celery", "celery", "gunicorn", "python", "uvicorn"]
    for word in (
        "gunicorn traceability.wsgi",
        "celery -A traceability.celery worker -B",
        "uvicorn traceability.asgi:application",
    ):
        assert word in text
        assert any(one.startswith(word) for (one,) in started)


def test_every_queue_has_its_worker() -> None:
    """In the example; a worker that is given none takes them all."""
    units = "".join(path.read_text() for path in tracked("deploy/systemd/*"))
    workers = re.findall(r"celery .*", units)
    served = [name for one in workers for names in re.findall(r"-Q (\S+)", one) for name in names.split(",")]
    assert sorted(served) == sorted(settings.CELERY_TASK_QUEUES)
    named = [re.findall(r"-n (\S+)", one) for one in workers]
    assert sorted(named) == [[], ["long@dosetrail"]], "two workers of one name mistake each other's messages"
    assert {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} <= set(served)
    from traceability.celery import app

    app.loader.import_default_modules()
    assert set(settings.CELERY_TASK_ROUTES) <= set(app.tasks), "a route of a task that is none sends nothing there"


def test_every_check_of_a_member_s_node_is_in_its_guide() -> None:
    from ledger import member_health

    text = read("docs/witnesses.md")
    assert [name for name in member_health.NAMES if f"| `{name}` |" not in text] == []


def test_every_metric_of_the_guide_exists() -> None:
    sources = "".join(read(f"traceability/{room}/metrics.py") for room in ("operations", "common"))
    named = set(re.findall(r"dosetrail_[a-z_]+", read("docs/operations.md"))) - {"dosetrail_build_info"}
    assert {name for name in named if f'"{name}"' not in sources} == set()


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    dead = []
    for path in DOCS:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            name, _, anchor = target.partition("#")
            linked = (path.parent / name).resolve() if name else path
            if not linked.exists() or (anchor and anchor not in _anchors(linked)):
                dead.append(f"{path.name}: {target}")
    assert dead == []


def test_every_path_in_a_code_span_exists() -> None:
    """`traceability/…`, `ledger/…`, `docs/…` and the like, as the docs name them."""
    dead = []
    for path in [*DOCS]:
        if path.name == "CHANGELOG.md" or "adr" in path.parts:
            continue  # these speak of their time
        for name in re.findall(
            r"`((?:traceability|ledger|docs|static|templates|tests|bench)/[\w./\-]*)`", path.read_text()
        ):
            if not (ROOT / name).exists():
                dead.append(f"{path.name}: {name}")
    assert dead == []


def test_every_name_that_the_reading_guide_gives_is_in_its_file() -> None:
    """`path` `name`: whoever looks the name up in that file finds it."""
    named = re.findall(r"`([\w./]+\.(?:py|js))` `([\w.]+)`", read("docs/reading-the-code.md"))
    assert len(named) > 15
    missing = []
    for path, name in named:
        found = next((ROOT / base / path for base in ("", "traceability") if (ROOT / base / path).is_file()), None)
        symbol = name.rpartition(".")[2]
        if found is None or not re.search(rf"\b(?:def|class|function) {symbol}\b", found.read_text()):
            missing.append(f"{path} {name}")
    assert missing == []


def test_every_library_has_its_line_and_every_line_its_library() -> None:
    wanted = {
        re.split(r"[=\[<>~ ]", line)[0].lower()
        for name in ("requirements.txt", "requirements-dev.txt", "tests/outside/requirements.txt")
        for line in read(name).splitlines()
        if line and not line.startswith(("#", "-"))
    }
    modules = read("tests/outside/go/go.mod").split("require (")[1].split(")")[0]
    wanted |= {line.split()[0] for line in modules.splitlines() if line.strip()}
    wanted |= json.loads(read("tests/outside/js/package.json"))["dependencies"].keys() - {"fs"}
    table = re.findall(r"^\| ([^|]+) \|", read("docs/dependencies.md"), re.MULTILINE)
    named = {re.split(r"[ \[]", one.strip())[0].lower() for row in table for one in row.split(",")}
    assert wanted - named == set()
    assert named - wanted - {"library", "---"} == set()


OURS = [model for model in apps.get_models() if model.__module__.startswith(("traceability", "ledger"))]


@pytest.mark.parametrize("model", OURS)
def test_every_model_says_who_writes_it_and_whether_it_can_be_rebuilt(model: type) -> None:
    text = f"{inspect.getdoc(model)} {inspect.getmodule(model).__doc__}".lower()  # type: ignore[union-attr]
    assert "rebuil" in text or "written by" in text, f"{model.__name__}: {text}"


def test_nothing_names_somebody_s_machine() -> None:
    somebody = re.compile(r"/(?:home|root|Users)/[\w.]+/")
    texts = {".py", ".md", ".toml", ".txt", ".html", ".js", ".css", ".json", ".sh", ""}
    hits = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.suffix in texts and (match := somebody.search(path.read_text(errors="ignore")))
    ]
    assert hits == []


def test_the_readme_s_first_paragraph_names_the_rooms() -> None:
    first = read("README.md").split("\n\n")[1]
    paths = re.findall(r"`([\w./]+)`", first)
    assert len(paths) >= 10
    assert [path for path in paths if not (ROOT / path).exists()] == []
